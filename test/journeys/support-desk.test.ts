import test, { type ExecutionContext } from 'ava'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from '../../tools/pictures/chromium.ts'
import { AgentIssuer, DESK } from '../../tools/support/agent-issuer.ts'
import { Forwarder } from '../../tools/support/forwarder.ts'
import { createBucketedDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  inBrowser,
  LARGE_LETTERS,
  type ReaderSettings,
  setUpReader,
  tooWide,
  WIDE_FONT,
  whyNoPages,
} from '../support/in-browser.ts'
import { codeIn, hasCode, mailsTo, openChallenge, registerUser, until, wrongCode } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* The support desk as its agents see it: in a browser, with a real issuer, and the service behind it as it runs. */

let dataDir: Awaited<ReturnType<typeof createDataDir>>
let service: ServiceProcess
let desk: Forwarder
let issuer: AgentIssuer
let browser: Browser

/** Where the management port is, as the log says. */
const managementOf = ({ output }: ServiceProcess) =>
  until(
    async () => /management ready\s+url: "(http[^"]+)"/.exec(output())?.[1],
    (url) => url !== undefined,
  ) as Promise<string>

const supportEnv = () => ({
  SUPPORT_ORIGIN: desk.origin,
  SUPPORT_ISSUER: issuer.url,
  SUPPORT_CLIENT_ID: DESK.clientId,
  SUPPORT_CLIENT_SECRET: DESK.clientSecret,
})

test.before(async () => {
  if (whyNoPages) return
  browser = await launchChromium()
  desk = await new Forwarder().start()
  issuer = await new AgentIssuer().start(desk.origin)
  dataDir = await createDataDir()
  service = await startProcess({
    DATABASE_URL: (await createBucketedDatabase()).url,
    DATA_DIR: dataDir.path,
    ...supportEnv(),
  })
  desk.leadTo(await managementOf(service))
})

test.after.always(async () => {
  await browser?.close()
  await service?.end()
  await issuer?.stop()
  await desk?.stop()
  await dataDir?.remove()
})

/** What a page complained about: exceptions, and what its policy forbade. */
const problems: string[] = []
test.serial.afterEach((t) => {
  t.deepEqual(problems.splice(0), [])
})

/** An agent who has signed in at the issuer. */
async function agent(
  t: ExecutionContext,
  {
    as = 'agent-7',
    reader,
    ...options
  }: BrowserContextOptions & { as?: string; reader?: ReaderSettings } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(40_000)
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (line) => {
    // The answers that the desk refuses with are errors to the console.
    if (line.type() === 'error' && !/Failed to load resource/.test(line.text())) problems.push(line.text())
  })
  if (reader) await setUpReader(page, reader)
  await page.goto(`${desk.origin}/support`)
  await page.getByRole('link', { name: as, exact: true }).click()
  return page
}

/** A user who typed five wrong codes. */
async function lockedUser() {
  const { url } = service
  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)
  await call(url, 'POST', challenge.initiate, { token: user.token })
  const [mail] = await mailsTo(url, user.email, 1, hasCode)
  const code = codeIn(mail!)
  for (let n = 0; n < 5; n += 1) {
    await call(url, 'POST', challenge.verify, { token: user.token, json: { totp: wrongCode(code) } })
  }
  return { ...user, challenge, code }
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { axe: examiner, document } = globalThis as unknown as { axe: typeof axe; document: string }
    const { violations } = await examiner.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
}

inBrowser(
  'an agent signs in, finds the user by id, sees what happened, unlocks them and signs out',
  async (t) => {
    const { userId, email, challenge, code } = await lockedUser()
    const page = await agent(t)

    await page.getByLabel('Id of a user or of a challenge').fill(userId)
    await page.getByRole('button', { name: 'Find' }).first().click()
    await page.getByText('locked', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'payments.initiate' }).click()
    for (const words of [
      'asked for a confirmation',
      'The mail system took the mail',
      'No attempt is left',
      'locked until',
    ])
      t.true(await page.locator('.steps').getByText(words).first().isVisible(), words)
    t.regex(
      (await page.getByRole('img').getAttribute('aria-label'))!,
      /asked, wants a code, mailed.*wrong code.*locked/,
    )
    const seen = await page.content()
    for (const secret of [code, email, '1,250.00']) t.false(seen.includes(secret), secret)

    await page.getByRole('link', { name: 'Unlock the user …' }).click()
    await page.getByRole('heading', { name: 'Unlock this user?' }).waitFor()
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.getByText('The user is unlocked.').waitFor()

    const [notice] = await mailsTo(service.url, email, 1, (mail) => /unlocked/i.test(mail.subject))
    t.truthy(notice)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    const output = await until(
      async () => service.output(),
      (each) => each.includes('support sign-out'),
    )
    t.regex(output, /support look[\s\S]*agent:agent-7[\s\S]*support action/)
    t.true(output.includes(challenge.id))
    t.false(output.includes(email))
  },
)

inBrowser('an agent finds a mail by its mark and minute, and a user by the address', async (t) => {
  const { userId, email, challenge } = await lockedUser()
  const [mail] = await mailsTo(service.url, email, 1, hasCode)
  const mark = /\b[A-Z]{2}\b/.exec(mail!.subject)![0]
  const page = await agent(t)

  await page.getByLabel('Mark in the subject line').fill(mark)
  await page.getByRole('button', { name: 'Find' }).nth(2).click()
  await page.locator(`a[href="/support/challenges/${challenge.id}"]`).waitFor()

  await page.goto(`${desk.origin}/support`)
  await page.getByLabel('E-mail address, or its hash').fill(email)
  await page.getByRole('button', { name: 'Find' }).nth(1).click()
  await page.getByRole('link', { name: userId }).click()
  t.false(page.url().includes('@'))
  t.true(await page.getByRole('heading', { name: `User ${userId}` }).isVisible())
})

inBrowser('the keyboard alone leads from the search to the unlocked user', async (t) => {
  const { userId } = await lockedUser()
  const page = await agent(t)
  const focused = () =>
    page.evaluate(() => {
      const { document } = globalThis as unknown as { document: { activeElement: { textContent: string } } }
      return document.activeElement.textContent.trim()
    })
  const tabTo = async (label: string) => {
    for (let n = 0; n < 20; n += 1) {
      await page.keyboard.press('Tab')
      if ((await focused()) === label) return
    }
    t.fail(`no key leads to ${label}`)
  }

  await page.keyboard.press('Tab')
  t.is(await focused(), 'Skip to the content')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.type(userId)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: `User ${userId}` }).waitFor()
  await tabTo('Unlock the user …')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Unlock this user?' }).waitFor()
  await tabTo('Unlock')
  await page.keyboard.press('Enter')
  await page.getByText('The user is unlocked.').waitFor()
  t.pass()
})

for (const [what, options] of [
  ['on a desk', {}],
  ['on a desk, dark', { colorScheme: 'dark' }],
  ['on a phone of 375 pixels', { viewport: { width: 375, height: 700 } }],
  ['on a phone, dark', { viewport: { width: 375, height: 700 }, colorScheme: 'dark' }],
  ['on a phone in a wide font', { viewport: { width: 375, height: 700 }, reader: WIDE_FONT }],
  ['on a phone in large letters', { viewport: { width: 375, height: 700 }, reader: LARGE_LETTERS }],
] as const) {
  inBrowser(`axe finds nothing on any page, and nothing is wider than it may be: ${what}`, async (t) => {
    const { userId, challenge } = await lockedUser()
    const page = await agent(t, options)
    const paths = [
      ['/support', 200],
      [`/support/challenges/${challenge.id}`, 200],
      [`/support/user?${new URLSearchParams({ id: userId })}`, 200],
      [`/support/user/unlock?${new URLSearchParams({ id: userId })}`, 200],
      ['/support/find?id=nobody', 404],
      ['/support/signed-out', 200],
    ] as const
    for (const [path, status] of paths) {
      const response = await page.goto(`${desk.origin}${path}`)
      t.is(response?.status(), status, path)
      t.deepEqual(await findings(page), [], path)
      t.deepEqual(await tooWide(page), [], path)
    }
  })
}

inBrowser('somebody without a role is turned away, and the issuer’s refusal has a page', async (t) => {
  const page = await agent(t, { as: 'teller-1' })
  await page.getByRole('heading', { name: 'Your account may not use the support desk' }).waitFor()
  t.deepEqual(await findings(page), [])

  const other = await agent(t, { as: 'nobody' })
  await other.getByRole('heading', { name: 'The sign-in did not succeed' }).waitFor()
  t.deepEqual(await findings(other), [])
})

inBrowser(
  'with several workers, their supervisor has the desk, and metrics count what it does',
  async (t) => {
    const front = await new Forwarder().start()
    const own = await new AgentIssuer().start(front.origin)
    t.teardown(() => Promise.all([front.stop(), own.stop()]))
    const home = await createDataDir()
    const several = await startProcess({
      DATABASE_URL: (await createBucketedDatabase()).url,
      DATA_DIR: home.path,
      WORKERS: '2',
      ...supportEnv(),
      SUPPORT_ORIGIN: front.origin,
      SUPPORT_ISSUER: own.url,
    })
    t.teardown(async () => {
      await several.end()
      await home.remove()
    })
    const management = await managementOf(several)
    front.leadTo(management)
    const { userId } = await registerUser(several.url)
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()

    await page.goto(`${front.origin}/support/user?${new URLSearchParams({ id: userId })}`)
    await page.getByRole('link', { name: 'agent-8' }).click()
    await page.getByRole('heading', { name: `User ${userId}` }).waitFor()

    t.is(page.url(), `${front.origin}/support/user?id=${userId}`)
    t.is((await fetch(`${management}/metrics`)).status, 200)
    t.is(await several.end(), 0)
  },
)
