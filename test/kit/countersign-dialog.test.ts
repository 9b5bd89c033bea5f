import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { LANGUAGES, WORDINGS } from '../../packages/kit/src/browser/dialog-wording.ts'
import { launchChromium } from '../../tools/pictures/chromium.ts'
import { until } from '../journeys/client.ts'
import {
  fontSize,
  inBrowser,
  letterSize,
  type ReaderSettings,
  setUpReader,
  tooWide,
  WIDE_AND_LARGE,
  whyNoPages,
} from '../support/in-browser.ts'
import { StubChallenge } from './stub-challenge.ts'

const ORIGIN = 'https://bank.example'
const KIT = new URL('../../packages/kit/src/browser/', import.meta.url)
/** What a careful bank sends with its pages. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"

const PAGE = (language: string) => `<!doctype html>
<html lang="${language}"><head><title>Bank</title><script type="module" src="/page.js"></script></head>
<body><main><h1>Bank</h1><button id="pay">Pay</button><countersign-dialog></countersign-dialog></main></body></html>`

const SCRIPT = `
import '/kit/countersign-dialog.ts'
window.outcomes = []
const dialog = document.querySelector('countersign-dialog')
document.addEventListener('countersign-end', ({ detail }) => window.outcomes.push(detail))
window.countersign = (challengeId) => dialog.countersign({ challengeId, accessToken: () => 'token-of-alice' })
document.querySelector('#pay').addEventListener('click', () => window.countersign('c1'))
`

let browser: Browser

test.before(async () => {
  if (!whyNoPages) browser = await launchChromium()
})

test.after.always(() => browser?.close())

/** What a page complained about: exceptions, and what its policy forbade. */
const problems: string[] = []

test.serial.afterEach((t) => {
  t.deepEqual(problems.splice(0), [])
})

/** A page of a bank with the dialog open on a challenge. Nothing is loaded that this does not answer. */
async function opened(
  t: ExecutionContext,
  challenge = new StubChallenge(),
  {
    language = 'en',
    reader,
    ...options
  }: BrowserContextOptions & { language?: string; reader?: ReaderSettings } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (line) => {
    if (line.type() === 'error' && !/Failed to load resource/.test(line.text())) problems.push(line.text())
  })

  await context.route('**/*', async (route) => {
    const request = route.request()
    const { pathname, origin } = new URL(request.url())
    const file = /^\/kit\/([a-z-]+\.ts)$/.exec(pathname)?.[1]
    if (origin !== ORIGIN) return route.abort()
    if (pathname === '/')
      return route.fulfill({
        contentType: 'text/html',
        headers: { 'Content-Security-Policy': POLICY },
        body: PAGE(language),
      })
    if (pathname === '/page.js') return route.fulfill({ contentType: 'text/javascript', body: SCRIPT })
    if (file) return route.fulfill({ contentType: 'text/javascript', body: await scriptOf(file) })
    const token = request.headers().authorization
    if (token !== 'Bearer token-of-alice') return route.fulfill({ status: 401 })
    const { status, headers, body } = challenge.answer(request.method(), pathname, request.postData())
    return route.fulfill({
      status,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? '' : JSON.stringify(body),
    })
  })
  if (reader) await setUpReader(page, reader)
  await page.goto(`${ORIGIN}/`)
  await page.getByRole('button', { name: 'Pay' }).click()
  return page
}

async function scriptOf(file: string): Promise<string> {
  return stripTypeScriptTypes(await readFile(fileURLToPath(new URL(file, KIT)), 'utf8'))
}

interface Dialog {
  readonly shadowRoot: {
    readonly activeElement: { readonly id: string; readonly textContent: string } | null
  }
}

const codeField = (page: Page) => page.getByRole('textbox')
const outcomes = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { outcomes: unknown[] }).outcomes)
const ended = (page: Page, times = 1) =>
  until(
    () => outcomes(page),
    (all) => all.length === times,
  )

inBrowser(
  'it shows the operation line by line, has one code sent, and says where it went and which mail counts',
  async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge)

    await codeField(page).waitFor()

    t.deepEqual(await page.locator('dt').allTextContents(), ['Amount', 'To'])
    t.deepEqual(
      await page.locator('dd').allTextContents(),
      challenge.summary.map(({ value }) => value),
    )
    t.regex((await page.getByRole('status').textContent()) ?? '', /a•••@example\.com.*QK/)
    t.regex((await page.locator('label').textContent()) ?? '', /QK/)
    t.deepEqual(challenge.calls, ['GET', 'initiate', 'GET'])
  },
)

inBrowser('opened again after a reload it goes on where it was, and has no second code sent', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await page.reload()
  await page.getByRole('button', { name: 'Pay' }).click()
  await codeField(page).waitFor()

  t.deepEqual(challenge.calls, ['GET', 'initiate', 'GET', 'GET'])
  t.regex((await page.getByRole('status').textContent()) ?? '', /QK/)
})

inBrowser('the right code ends it with verified, told to whoever opened it', async (t) => {
  const page = await opened(t)
  await codeField(page).waitFor()

  await codeField(page).pressSequentially('042917')
  await page.keyboard.press('Enter')
  await ended(page)

  t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
  t.is(await page.locator('dialog[open]').count(), 0)
})

inBrowser('a code that was pasted or filled in is given without a further key', async (t) => {
  const page = await opened(t)
  await codeField(page).waitFor()

  await codeField(page).fill(' 042-917 ')
  await ended(page)

  t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
})

inBrowser(
  'a wrong code says so and how many tries are left, marks the field, and leaves the focus in it',
  async (t) => {
    const page = await opened(t)
    await codeField(page).waitFor()

    await codeField(page).fill('111111')
    await page.getByRole('alert').filter({ hasText: 'Tries left: 4' }).waitFor()

    t.is(await codeField(page).getAttribute('aria-invalid'), 'true')
    t.true(await codeField(page).evaluate((field) => field.matches(':focus')))
    t.is(await codeField(page).getAttribute('aria-describedby'), 'validity alarm')
  },
)

inBrowser('the last wrong code ends it in words, and there is nothing left to enter', async (t) => {
  const challenge = new StubChallenge()
  challenge.attemptsRemaining = 1
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await codeField(page).fill('111111')
  await page.getByRole('alert').filter({ hasText: WORDINGS.en.exhausted }).waitFor()

  t.true(await codeField(page).isHidden())
  await page.getByRole('button', { name: 'Close' }).click()
  await ended(page)
  t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'exhausted' }])
})

inBrowser('nothing in the field is said without asking the service', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: WORDINGS.en.noCode }).waitFor()

  t.false(challenge.calls.includes('verify'))
})

inBrowser('another code can be had when the service says, and not before', async (t) => {
  const challenge = new StubChallenge()
  challenge.cooldownInSeconds = 2
  const page = await opened(t, challenge)
  const waiting = page.getByRole('button', { name: /^Another code in 0:0[12]$/ })
  await waiting.waitFor()
  t.true(await waiting.isDisabled())

  const resend = page.getByRole('button', { name: 'Send another code' })
  await resend.click()
  await page.getByRole('status').filter({ hasText: 'RL' }).waitFor()

  t.is(challenge.calls.filter((call) => call === 'initiate').length, 2)
})

inBrowser('when no more codes can be sent it says so, and offers none', async (t) => {
  const challenge = new StubChallenge()
  challenge.cooldownInSeconds = null
  const page = await opened(t, challenge)

  await page.getByRole('status').filter({ hasText: WORDINGS.en.noMoreCodes }).waitFor()

  t.is(await page.getByRole('button', { name: /another code/i }).count(), 0)
})

for (const delivery of ['bounced', 'failed']) {
  inBrowser(`a mail that has ${delivery} is told as one that did not arrive`, async (t) => {
    const challenge = new StubChallenge()
    challenge.delivery = delivery
    const page = await opened(t, challenge)

    await page.getByRole('status').filter({ hasText: 'did not arrive' }).waitFor()
    t.pass()
  })
}

inBrowser('a mail that bounces while the dialog is open is told without a key', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  challenge.delivery = 'bounced'

  await page.getByRole('status').filter({ hasText: 'did not arrive' }).waitFor()
  t.pass()
})

for (const [what, call, status, code, headers, words] of [
  [
    'a subject who is locked',
    'initiate',
    403,
    'FORBIDDEN',
    { 'Retry-After': '900' },
    /for another 1[45]:\d\d/,
  ],
  ['a user without an address', 'initiate', 400, 'USER_NOT_FOUND', {}, /no e-mail address/],
  ['a token that has expired', 'GET', 401, 'UNAUTHORIZED', {}, /no longer signed in/],
  ["another user's challenge", 'GET', 404, 'CHALLENGE_NOT_FOUND', {}, /nothing here/],
  [
    'too many mails in this hour',
    'initiate',
    429,
    'BAD_REQUEST',
    { 'Retry-After': '600' },
    /in (?:10:00|9:\d\d)/,
  ],
] as const) {
  inBrowser(`${what} is told in words, and there is no field that leads nowhere`, async (t) => {
    const challenge = new StubChallenge()
    challenge.refuse(call, status, code, headers)
    const page = await opened(t, challenge)

    await page.getByRole('alert').filter({ hasText: words }).waitFor()

    t.true(await codeField(page).isHidden())
  })
}

for (const [status, words] of [
  ['expired', WORDINGS.en.expired],
  ['exhausted', WORDINGS.en.exhausted],
  ['cancelled', WORDINGS.en.cancelled],
  ['consumed', WORDINGS.en.consumed],
] as const) {
  inBrowser(`a challenge that is ${status} says so, sends nothing, and closes as ${status}`, async (t) => {
    const challenge = new StubChallenge()
    challenge.status = status
    const page = await opened(t, challenge)

    await page.getByRole('alert').filter({ hasText: words }).waitFor()
    await page.keyboard.press('Escape')
    await ended(page)

    t.deepEqual(challenge.calls, ['GET'])
    t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: status }])
  })
}

inBrowser('a service that is away can be tried again, and nothing is lost', async (t) => {
  const challenge = new StubChallenge()
  challenge.refuse('GET', 503, 'INTERNAL_SERVER_ERROR', { 'Retry-After': '2' })
  const page = await opened(t, challenge)
  await page.getByRole('alert').filter({ hasText: WORDINGS.en.unavailable }).waitFor()

  await page.getByRole('button', { name: 'Try again' }).click()
  await codeField(page).waitFor()
  challenge.refuse('verify', 503, 'INTERNAL_SERVER_ERROR')
  await codeField(page).fill('042917')
  await page.getByRole('alert').filter({ hasText: WORDINGS.en.unavailable }).waitFor()
  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  await ended(page)

  t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
})

inBrowser('whoever does not want this cancels it for good, and whoever leaves may come back', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()
  await page.keyboard.press('Escape')
  await ended(page)

  await page.getByRole('button', { name: 'Pay' }).click()
  await page.getByRole('button', { name: 'Do not confirm' }).click()
  await ended(page, 2)

  t.is(challenge.status, 'cancelled')
  t.deepEqual(await outcomes(page), [
    { challengeId: 'c1', outcome: 'closed' },
    { challengeId: 'c1', outcome: 'cancelled' },
  ])
})

inBrowser('the keyboard alone is enough, from the field over each button and back', async (t) => {
  const challenge = new StubChallenge()
  challenge.cooldownInSeconds = 0
  const page = await opened(t, challenge)
  await codeField(page).waitFor()
  await page.getByRole('button', { name: 'Send another code' }).waitFor()
  const focused = () =>
    page.evaluate(() => {
      const { document } = globalThis as unknown as { document: { querySelector(name: string): Dialog } }
      const focused = document.querySelector('countersign-dialog').shadowRoot.activeElement
      return focused?.id || focused?.textContent
    })
  t.is(await focused(), 'code')

  const order: (string | null | undefined)[] = []
  for (let n = 0; n < 3; n++) {
    await page.keyboard.press('Tab')
    order.push(await focused())
  }

  t.deepEqual(order, ['Confirm', 'resend', 'cancel'])
})

inBrowser(
  'a summary full of markup and overlong words is text, within the width of a small phone',
  async (t) => {
    const challenge = new StubChallenge()
    challenge.summary = [
      { label: '<b>To</b>', value: '<img src=x onerror=alert(1)>' },
      { label: 'W'.repeat(60), value: 'M'.repeat(200) },
    ]
    const page = await opened(t, challenge, { viewport: { width: 320, height: 640 } })
    await codeField(page).waitFor()

    t.is(await page.locator('dd').first().textContent(), '<img src=x onerror=alert(1)>')
    const { scrollWidth, clientWidth } = await page
      .locator('dialog')
      .evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))
    t.is(scrollWidth, clientWidth)
  },
)

const PHONE = { width: 375, height: 740 }

/** With a code of the most digits that there are, which was wrong. */
async function withWrongCode(page: Page, wrongCode: string): Promise<void> {
  await codeField(page).fill('11111111')
  await page.getByRole('alert').filter({ hasText: wrongCode }).waitFor()
}

const isCutOff = (page: Page) =>
  codeField(page).evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)

for (const language of LANGUAGES) {
  inBrowser(
    `on a phone with a wide font and letters twice as large nothing asks to be scrolled sideways (${language})`,
    async (t) => {
      const page = await opened(t, new StubChallenge(), {
        language,
        viewport: PHONE,
        reader: WIDE_AND_LARGE,
      })
      await codeField(page).waitFor()
      t.deepEqual(await tooWide(page), [])

      await withWrongCode(page, WORDINGS[language].wrongCode)
      t.deepEqual(await tooWide(page), [])
      t.false(await isCutOff(page))
      t.is(await letterSize(page), WIDE_AND_LARGE.sizeInPixels)
    },
  )
}

inBrowser("on a phone the dialog grows with its page's letters, and stays within the width", async (t) => {
  const page = await opened(t, new StubChallenge(), { viewport: PHONE, bypassCSP: true })
  const heading = page.getByRole('heading', { name: WORDINGS.en.title })
  const text = page.locator('dd').first()
  const sizes = () => Promise.all([heading, text].map(fontSize))
  await codeField(page).waitFor()
  const before = await sizes()

  await page.addStyleTag({ content: 'html { font-size: 200% }' })
  await withWrongCode(page, WORDINGS.en.wrongCode)

  t.deepEqual(
    await sizes(),
    before.map((size) => 2 * size),
  )
  t.deepEqual(await tooWide(page), [])
  t.false(await isCutOff(page))
})

/** The findings of axe, by rule and the elements at fault. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

for (const language of LANGUAGES) {
  for (const colorScheme of ['light', 'dark'] as const) {
    inBrowser(
      `axe finds nothing, with a code to enter and after a wrong one (${language}, ${colorScheme})`,
      async (t) => {
        const page = await opened(t, new StubChallenge(), {
          language,
          colorScheme,
          reducedMotion: 'reduce',
          bypassCSP: true,
        })
        await codeField(page).waitFor()
        t.deepEqual(await findings(page), [])

        await codeField(page).fill('111111')
        await page.getByRole('alert').filter({ hasText: WORDINGS[language].wrongCode }).waitFor()
        t.deepEqual(await findings(page), [])
        t.is(await page.locator('dialog').getAttribute('dir'), language === 'ar' ? 'rtl' : 'ltr')
      },
    )
  }
}

test('every language says everything, and fills in the same', (t) => {
  const blanks = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted()

  for (const language of LANGUAGES) {
    for (const [key, english] of Object.entries(WORDINGS.en)) {
      const text = WORDINGS[language][key as keyof typeof WORDINGS.en]
      t.true(text.trim() !== '', `${language} ${key}`)
      t.deepEqual(blanks(text), blanks(english), `${language} ${key}`)
    }
  }
})
