import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { WORDINGS } from '../../packages/kit/src/browser/dialog-languages.ts'
import { launchChromium } from '../../tools/pictures/chromium.ts'
import { until } from '../journeys/client.ts'
import { inBrowser, whyNoPages } from '../support/in-browser.ts'
import { StubChallenge } from './stub-challenge.ts'

/* Answers and tokens that come late: after the dialog has closed, after the next challenge has opened, after a newer answer. */

const ORIGIN = 'https://bank.example'
const KIT = new URL('../../packages/kit/src/browser/', import.meta.url)

const PAGE = `<!doctype html><html lang="en"><head><title>Bank</title><script type="module" src="/page.js"></script></head>
<body><countersign-dialog></countersign-dialog><countersign-dialog id="second"></countersign-dialog></body></html>`

const SCRIPT = `
import '/kit/countersign-dialog.ts'
window.bank = window
window.outcomes = []
window.token = () => 'token-of-alice'
window.next = []
document.addEventListener('countersign-end', ({ target, detail }) => {
  window.outcomes.push([detail.challengeId, detail.outcome])
  const challengeId = window.next.shift()
  if (challengeId) window.countersign(challengeId, target)
})
window.countersign = (challengeId, dialog = document.querySelector('countersign-dialog')) => {
  dialog.countersign({ challengeId, accessToken: () => window.token() }).then(
    (outcome) => window.outcomes.push([challengeId, outcome]),
    (error) => window.outcomes.push([challengeId, error.message]))
}
window.ready = true
`

interface BankWindow {
  outcomes: [string, string][]
  next: string[]
  token: () => unknown
  release: (token: string) => void
  countersign(challengeId: string, dialog?: unknown): void
  document: {
    querySelector(name: string): { remove(): void }
    body: { append(element: unknown): void }
  }
}
/** The window, to the functions that run in the page. */
declare const bank: BankWindow

let browser: Browser

test.before(async () => {
  if (!whyNoPages) browser = await launchChromium()
})

test.after.always(() => browser?.close())

/** The exceptions of a page. */
const problems: string[] = []

test.serial.afterEach((t) => {
  t.deepEqual(problems.splice(0), [])
})

/** A page of a bank, with a service that acts at once and answers when the test lets it. */
async function openBank(t: ExecutionContext, ...ids: readonly string[]) {
  const challenges = new Map(
    ids.map((id) => {
      const challenge = new StubChallenge()
      challenge.challengeId = id
      return [id, challenge] as const
    }),
  )
  const held: { readonly call: string; readonly until: Promise<void> }[] = []
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))

  await context.route('**/*', async (route) => {
    const request = route.request()
    const { pathname, origin } = new URL(request.url())
    const file = /^\/kit\/([a-z-]+\.ts)$/.exec(pathname)?.[1]
    if (origin !== ORIGIN) return route.abort()
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: PAGE })
    if (pathname === '/page.js') return route.fulfill({ contentType: 'text/javascript', body: SCRIPT })
    if (file) return route.fulfill({ contentType: 'text/javascript', body: await scriptOf(file) })
    const id = /\/(c\d)(?:$|:)/.exec(pathname)![1]!
    const call = `${/:(\w+)$/.exec(pathname)?.[1] ?? 'GET'} ${id}`
    const {
      status,
      headers,
      body = '',
    } = challenges.get(id)!.answer(request.method(), pathname, request.postData())
    const json = body === '' ? '' : JSON.stringify(body)
    const index = held.findIndex((each) => each.call === call)
    if (index >= 0) await held.splice(index, 1)[0]!.until
    // A page that has stopped waiting is nobody to answer.
    await route
      .fulfill({ status, headers: { 'Content-Type': 'application/json', ...headers }, body: json })
      .catch(() => {})
  })
  await page.goto(`${ORIGIN}/`)
  await page.waitForFunction('window.ready')

  return {
    page,
    challenge: (id: string) => challenges.get(id)!,
    open: (id: string) => page.evaluate((id) => bank.countersign(id), id),
    outcomes: () => page.evaluate(() => bank.outcomes),
    /** Holds back the answer to the next call of this kind, until `release`. */
    hold(call: string) {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.push({ call, until: promise })
      t.teardown(resolve)
      return resolve
    },
    /** Waits until the service has had so many calls of a kind. */
    called: (id: string, call: string, times = 1) =>
      until(
        async () => challenges.get(id)!.calls.filter((each) => each === call).length,
        (count) => count >= times,
      ),
  }
}

async function scriptOf(file: string): Promise<string> {
  return stripTypeScriptTypes(await readFile(fileURLToPath(new URL(file, KIT)), 'utf8'))
}

const field = (page: Page) => page.getByRole('textbox')
const alarm = (page: Page, text: string) => page.getByRole('alert').filter({ hasText: text })
/** Long enough for an answer that must change nothing. */
const quiet = (page: Page) => page.waitForTimeout(300)

inBrowser('the right code of a challenge that was left does not confirm the next one', async (t) => {
  const { page, challenge, open, outcomes, hold, called } = await openBank(t, 'c1', 'c2')
  const release = hold('verify c1')
  await open('c1')
  await field(page).fill('042917')
  await called('c1', 'verify')
  await page.keyboard.press('Escape')
  await open('c2')
  await field(page).waitFor()

  release()
  await quiet(page)
  t.true(await field(page).isEditable())
  await page.keyboard.press('Escape')

  t.deepEqual(await outcomes(), [
    ['c1', 'closed'],
    ['c1', 'closed'],
    ['c2', 'closed'],
    ['c2', 'closed'],
  ])
  t.is(challenge('c2').status, 'pending')
})

for (const [call, act] of [
  ['GET', async () => {}],
  ['initiate', async () => {}],
  ['verify', (page: Page) => field(page).fill('111111')],
  ['cancel', (page: Page) => page.getByRole('button', { name: WORDINGS.en.cancel }).click()],
] as const) {
  inBrowser(`a late answer to ${call} of the challenge before changes nothing of the next`, async (t) => {
    const { page, open, outcomes, hold, called } = await openBank(t, 'c1', 'c2')
    const release = hold(`${call} c1`)
    await open('c1')
    await act(page)
    await called('c1', call)
    await page.keyboard.press('Escape')
    await open('c2')
    await field(page).waitFor()
    const before = await page.locator('countersign-dialog').first().ariaSnapshot()

    release()
    await quiet(page)

    const seen = (snapshot: string) => snapshot.replaceAll(/\d+:\d\d/g, '0:00')
    t.is(seen(await page.locator('countersign-dialog').first().ariaSnapshot()), seen(before))
    await field(page).fill('042917')
    await until(outcomes, (all) => all.length === 4)
    t.deepEqual((await outcomes()).slice(2), Array(2).fill(['c2', 'verified']))
  })
}

inBrowser('a look that is answered after the dialog has closed has no mail sent', async (t) => {
  const { page, challenge, open, outcomes, hold, called } = await openBank(t, 'c1')
  const release = hold('GET c1')
  await open('c1')
  await called('c1', 'GET')
  await page.keyboard.press('Escape')
  await until(outcomes, (all) => all.length === 2)

  release()
  await quiet(page)

  t.deepEqual(challenge('c1').calls, ['GET'])
})

for (const [call, act] of [
  ['initiate', (page: Page) => page.getByRole('button', { name: WORDINGS.en.resend, exact: true }).click()],
  ['verify', (page: Page) => field(page).fill('042917')],
  ['cancel', (page: Page) => page.getByRole('button', { name: WORDINGS.en.cancel }).click()],
] as const) {
  inBrowser(`a token that comes after the dialog has closed is used for no ${call}`, async (t) => {
    const { page, challenge, open, outcomes } = await openBank(t, 'c1')
    challenge('c1').cooldownInSeconds = 0
    challenge('c1').delivery = 'delivered'
    await open('c1')
    await field(page).waitFor()
    const before = [...challenge('c1').calls]
    await page.evaluate(() => {
      bank.token = () =>
        new Promise((resolve) => {
          bank.release = resolve
        })
    })
    await act(page)
    await page.waitForFunction(() => bank.release)
    await page.keyboard.press('Escape')
    await until(outcomes, (all) => all.length === 2)

    await page.evaluate(() => bank.release('token-of-alice'))
    await quiet(page)

    t.deepEqual(challenge('c1').calls, before)
    t.is(challenge('c1').status, 'pending')
  })
}

inBrowser('a look that is answered late does not bring a challenge back that is over', async (t) => {
  const { page, challenge, open, outcomes, hold, called } = await openBank(t, 'c1')
  challenge('c1').attemptsRemaining = 1
  await open('c1')
  await field(page).waitFor()
  const release = hold('GET c1')
  await called('c1', 'GET', 3)
  await field(page).fill('111111')
  await alarm(page, WORDINGS.en.exhausted).waitFor()

  release()
  await quiet(page)

  t.true(await field(page).isHidden())
  await page.keyboard.press('Escape')
  await until(outcomes, (all) => all.length === 2)
  t.deepEqual((await outcomes())[0], ['c1', 'exhausted'])
})

inBrowser('a look that is answered late does not bring the code before back', async (t) => {
  const { page, challenge, open, hold, called } = await openBank(t, 'c1')
  challenge('c1').cooldownInSeconds = 0
  await open('c1')
  await field(page).waitFor()
  const release = hold('GET c1')
  await called('c1', 'GET', 3)
  await page.getByRole('button', { name: WORDINGS.en.resend, exact: true }).click()
  const news = page.getByRole('status').filter({ hasText: 'RL' })
  await news.waitFor()

  release()
  await quiet(page)

  t.true(await news.isVisible())
  t.regex((await page.locator('label').first().textContent()) ?? '', /RL/)
})

inBrowser('the end of one challenge does not end the next, which was opened at once', async (t) => {
  const { page, open, outcomes } = await openBank(t, 'c1', 'c2')
  await open('c1')
  await field(page).fill('042917')
  await page.getByRole('status').filter({ hasText: WORDINGS.en.verified }).waitFor()
  await page.evaluate(() => {
    bank.next = ['c2']
  })

  await page.keyboard.press('Escape')
  await field(page).waitFor()
  // Past the moment at which the first dialog would have closed by itself.
  await page.waitForTimeout(1000)

  t.true(await field(page).isEditable())
  t.deepEqual(await outcomes(), Array(2).fill(['c1', 'verified']))
})

inBrowser(
  'the same challenge opened again stands as the service says, not as a late answer does',
  async (t) => {
    const { page, open, outcomes, hold, called } = await openBank(t, 'c1')
    const release = hold('verify c1')
    await open('c1')
    await field(page).fill('042917')
    await called('c1', 'verify')
    await page.keyboard.press('Escape')

    await open('c1')
    await page.getByRole('status').filter({ hasText: WORDINGS.en.verified }).waitFor()
    release()
    await page.keyboard.press('Escape')

    await until(outcomes, (all) => all.length === 4)
    t.deepEqual(await outcomes(), [
      ['c1', 'closed'],
      ['c1', 'closed'],
      ['c1', 'verified'],
      ['c1', 'verified'],
    ])
  },
)

inBrowser('an answer about another challenge than the one that was asked about is no answer', async (t) => {
  const { page, challenge, open, outcomes } = await openBank(t, 'c1', 'c2')
  challenge('c1').challengeId = 'c2'
  challenge('c1').status = 'verified'
  await open('c1')
  await alarm(page, WORDINGS.en.unavailable).waitFor()

  await page.keyboard.press('Escape')

  await until(outcomes, (all) => all.length === 2)
  t.deepEqual((await outcomes())[0], ['c1', 'unreachable'])
})

inBrowser('two dialogs of a page have an outcome each', async (t) => {
  const { page, open, outcomes, hold, called } = await openBank(t, 'c1', 'c2')
  const release = hold('verify c1')
  await open('c1')
  await field(page).fill('042917')
  await called('c1', 'verify')
  await page.evaluate(() => bank.countersign('c2', bank.document.querySelector('#second')))
  const second = page.locator('#second').getByRole('textbox')
  await second.waitFor()

  release()
  await until(outcomes, (all) => all.length === 2)

  t.true(await second.isEditable())
  t.deepEqual(await outcomes(), Array(2).fill(['c1', 'verified']))
})

inBrowser('an element that was taken out and put back has forgotten what was under way', async (t) => {
  const { page, open, outcomes, hold, called } = await openBank(t, 'c1', 'c2')
  const release = hold('verify c1')
  await open('c1')
  await field(page).fill('042917')
  await called('c1', 'verify')
  await page.evaluate(() => {
    const dialog = bank.document.querySelector('countersign-dialog')
    dialog.remove()
    bank.document.body.append(dialog)
    bank.countersign('c2', dialog)
  })
  await field(page).waitFor()

  release()
  await quiet(page)

  t.true(await field(page).isEditable())
  // Nobody in the page hears the event of an element that is not in it.
  t.deepEqual(await outcomes(), [['c1', 'closed']])
})

inBrowser('a URL that is plain HTTP to another machine opens nothing, and the next call does', async (t) => {
  const { page, open } = await openBank(t, 'c1')

  const error = await page.evaluate(() =>
    (
      bank.document.querySelector('countersign-dialog') as never as {
        countersign(options: object): Promise<string>
      }
    )
      .countersign({
        challengeId: 'c1',
        accessToken: () => 'token',
        baseUrl: 'http://countersign.bank.example',
      })
      .catch((error: Error) => `${error.name}: ${error.message}`),
  )
  await open('c1')
  await field(page).waitFor()

  t.regex(error, /^TypeError: baseUrl must be an https URL/)
})
