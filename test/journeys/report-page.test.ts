import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from '../../tools/pictures/chromium.ts'
import { createTestDatabase, query, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  inBrowser,
  LARGE_LETTERS,
  type ReaderSettings,
  setUpReader,
  tooWide,
  WIDE_AND_LARGE,
  WIDE_FONT,
  whyNoPages,
} from '../support/in-browser.ts'
import { crmToken, hasCode, mailsTo, openChallenge, registerUser } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* The page to report a mail as its readers see it, in a browser, from the service as it runs. */

const PHONE = { width: 375, height: 667 }

let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let service: ServiceProcess
let browser: Browser

test.before(async () => {
  if (whyNoPages) return
  browser = await launchChromium()
  database = await createTestDatabase()
  dataDir = await createDataDir()
  service = await startProcess({
    DATABASE_URL: database.url,
    DATA_DIR: dataDir.path,
    REPORT_URL: 'http://127.0.0.1/not-me',
    REPORT_PAGE: 'on',
    LOG_LEVEL: 'warn',
  })
})

test.after.always(async () => {
  await browser?.close()
  await service?.end()
  await dataDir?.remove()
})

/** The link of a new mail, at the address of the service. */
async function mailed(locale = 'en') {
  const { url } = service
  const { userId, email, token } = await registerUser(url)
  await call(url, 'PUT', `/internal/v1/mfa/users/${userId}`, {
    token: await crmToken(url),
    json: { email, locale },
  })
  const challenge = await openChallenge(url, userId)
  await call(url, 'POST', challenge.initiate, { token })
  const [mail] = await mailsTo(url, email, 1, hasCode)
  const [, path] = /not-me(\/\S+)/.exec(mail!.text)!
  const other = await openChallenge(url, userId)
  const statusOf = async (id: string) => {
    const [row] = await query(database.url, `SELECT status FROM challenges WHERE id = '${id}'`)
    return (row as { status: string }).status
  }
  return { link: `${url}/report${path}`, challenge, other, statusOf }
}

async function opened(
  t: ExecutionContext,
  link: string,
  { reader, ...options }: BrowserContextOptions & { reader?: ReaderSettings } = {},
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ viewport: PHONE, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (line) => {
    if (line.type() === 'error' && !/Failed to load resource/.test(line.text())) problems.push(line.text())
  })
  if (reader) await setUpReader(page, reader)
  await page.goto(link)
  return { page, problems }
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

const button = (page: Page) => page.getByRole('button')
const heading = (page: Page) => page.getByRole('heading').innerText()

inBrowser('without JavaScript, a reader reports from a phone, and is thanked', async (t) => {
  const { link, challenge, other, statusOf } = await mailed()
  const { page, problems } = await opened(t, link, {
    javaScriptEnabled: false,
    hasTouch: true,
    isMobile: true,
  })

  t.is(await heading(page), 'Was it not you?')
  t.true(await page.getByText('EUR 1,250.00').isVisible())
  t.is(await statusOf(challenge.id), 'pending')
  await button(page).tap()
  await page.getByText('Thank you for the report').waitFor()

  t.is(await statusOf(challenge.id), 'cancelled')
  t.is(await statusOf(other.id), 'pending')
  await page.goto(link)
  t.is(await heading(page), 'This was reported already')
  t.deepEqual(problems, [])
})

inBrowser('by keyboard alone, a reader chooses to end the rest and reports', async (t) => {
  const { link, challenge, other, statusOf } = await mailed()
  const { page } = await opened(t, link)

  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  t.true(await page.getByRole('checkbox').isChecked())
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('Everything else that waited for your confirmation is cancelled too.').waitFor()

  t.deepEqual([await statusOf(challenge.id), await statusOf(other.id)], ['cancelled', 'cancelled'])
})

inBrowser('a reload of the thanks, and a second press, say that it was reported already', async (t) => {
  const { link } = await mailed()
  const { page } = await opened(t, link)
  await button(page).click()
  await page.getByText('Thank you for the report').waitFor()

  await page.reload()
  t.is(await heading(page), 'This was reported already')
  await page.goBack()
  t.is(await heading(page), 'This was reported already')
})

inBrowser('another site can send the form of a link it knows, and nothing is reported', async (t) => {
  const { link, challenge, statusOf } = await mailed()
  const attacker = createServer((_, response) =>
    response
      .setHeader('Content-Type', 'text/html')
      .end(`<form method="post" action="${link}"><input name="proof" value="x"><button>Win</button></form>`),
  )
  await new Promise<void>((listening) => attacker.listen(0, '127.0.0.1', listening))
  t.teardown(() => void attacker.close())
  const { port } = attacker.address() as AddressInfo
  const { page } = await opened(t, `http://localhost:${port}/`)

  await button(page).click()
  await page.getByText('Nothing has happened yet.').waitFor()

  t.is(await statusOf(challenge.id), 'pending')
})

inBrowser('no other site can frame the page', async (t) => {
  const { link } = await mailed()
  const framing = createServer((_, response) =>
    response.setHeader('Content-Type', 'text/html').end(`<iframe src="${link}"></iframe>`),
  )
  await new Promise<void>((listening) => framing.listen(0, '127.0.0.1', listening))
  t.teardown(() => void framing.close())
  const { port } = framing.address() as AddressInfo
  const { page, problems } = await opened(t, `http://localhost:${port}/`)

  await page.waitForLoadState('networkidle')
  t.is(await page.frames()[1]!.getByText('Was it not you?').count(), 0)
  t.regex(problems.join(), /frame-ancestors/)
})

for (const colorScheme of ['light', 'dark'] as const) {
  for (const locale of ['en', 'ar', 'de'] as const) {
    inBrowser(
      `axe finds nothing on any page, ${locale}, ${colorScheme}, and no line is wider than a phone`,
      async (t) => {
        const { link } = await mailed(locale)
        const { page, problems } = await opened(t, link, { colorScheme })
        const clean = async () => {
          t.deepEqual(await findings(page), [])
          t.deepEqual(await tooWide(page), [])
        }

        await clean()
        t.is(await page.locator('html').getAttribute('dir'), locale === 'ar' ? 'rtl' : 'ltr')
        await page.locator('input[name=proof]').evaluate((field) => field.setAttribute('value', 'stale'))
        await button(page).click()
        await page.getByRole('alert').waitFor()
        await clean()
        await button(page).click()
        await page.locator('form').waitFor({ state: 'detached' })
        await clean()
        await page.goto(link)
        await clean()
        await page.goto(`${link}x`)
        await clean()
        t.deepEqual(problems, [])
      },
    )
  }
}

for (const reader of [WIDE_FONT, LARGE_LETTERS, WIDE_AND_LARGE]) {
  inBrowser(
    `on a phone, nothing is wider than the screen in ${reader.font} of ${reader.sizeInPixels} pixels`,
    async (t) => {
      for (const locale of ['fi', 'hu']) {
        const { link } = await mailed(locale)
        const { page } = await opened(t, link, { reader })

        t.deepEqual(await tooWide(page), [])
        await button(page).click()
        await page.locator('form').waitFor({ state: 'detached' })
        t.deepEqual(await tooWide(page), [])
      }
    },
  )
}

inBrowser('in dark mode the page is dark, and the button stands out from it', async (t) => {
  const { link } = await mailed()
  const { page } = await opened(t, link, { colorScheme: 'dark' })
  const colorOf = (selector: string) =>
    page
      .locator(selector)
      .evaluate((each) => each.ownerDocument.defaultView!.getComputedStyle(each).backgroundColor)

  t.is(await colorOf('body'), 'rgb(17, 22, 27)')
  t.is(await colorOf('button'), 'rgb(15, 76, 92)')
})
