import test, { type ExecutionContext } from 'ava'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core'
import { launchChromium } from '../../../tools/pictures/chromium.ts'
import { codeIn, mailsTo, until, wrongCode } from '../../journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../journeys/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import {
  inBrowser,
  LARGE_LETTERS,
  letterSize,
  type ReaderSettings,
  setUpReader,
  tooWide,
  WIDE_AND_LARGE,
  WIDE_FONT,
  whyNoPages,
} from '../../support/in-browser.ts'

/* The demo bank as its visitors see it: the pages in a browser, the bank and the service behind them as they run at home. */

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
    OTP_RESEND_COOLDOWN_SECONDS: '1',
    LOG_LEVEL: 'warn',
  })
})

test.after.always(async () => {
  await browser?.close()
  await service?.end()
  await dataDir?.remove()
})

/** What a page complained about: exceptions, and what its policy forbade. */
const problems: string[] = []

test.serial.afterEach((t) => {
  t.deepEqual(problems.splice(0), [])
})

interface Visit {
  readonly page: Page
  readonly bank: FrameLocator
  readonly field: ReturnType<FrameLocator['locator']>
  /** The code of the customer's newest mail, once there are so many. */
  code(mails?: number): Promise<string>
}

/** A visitor in front of the stage. */
async function visit(
  t: ExecutionContext,
  { reader, ...options }: BrowserContextOptions & { reader?: ReaderSettings } = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(40_000)
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (line) => {
    // What the service refuses, as it should, is an error to the console.
    if (line.type() === 'error' && !/Failed to load resource/.test(line.text())) problems.push(line.text())
  })

  if (reader) await setUpReader(page, reader)
  await page.goto(service.url)
  const bank = page.frameLocator('iframe[name=bank]')
  await bank.getByText('EUR 12,480.50').waitFor()
  return {
    page,
    bank,
    field: bank.locator('countersign-dialog').getByRole('textbox'),
    code: async (mails = 1) => codeIn((await mailsTo(service.url, (await scene(page)).address, mails))[0]!),
  }
}

/** The mailbox loads itself anew when a mail is there, and nobody can measure a frame that navigates. */
async function mailboxShows(page: Page, code: string): Promise<void> {
  await page.frameLocator('iframe[name=mail]').frameLocator('iframe').getByText(code).first().waitFor()
}

async function order(bank: FrameLocator, amount = '1250.00'): Promise<void> {
  await bank.getByLabel('Amount in EUR').fill(amount)
  await bank.getByRole('button', { name: 'Transfer', exact: true }).click()
}

const goesWrong = async ({ page }: Visit, label: string) => {
  await page.getByLabel(label).check()
  await until(
    () => scene(page),
    ({ trouble }) => trouble !== 'none',
  )
}

/** What the bank knows of this visitor. */
async function scene(page: Page): Promise<{ address: string; trouble: string }> {
  return page.evaluate(async () => (await (await fetch('/backstage/scene')).json()) as never)
}

const balance = (bank: FrameLocator) => bank.locator('#balance').textContent()

inBrowser('a transfer within the limit is made at once, and mails nothing', async (t) => {
  const { page, bank } = await visit(t)

  await order(bank, '99.99')
  await bank.getByRole('status').filter({ hasText: 'EUR 99.99 transferred to ACME GmbH.' }).waitFor()

  t.is(await balance(bank), 'EUR 12,380.51')
  t.is(await page.locator('#challenge').isVisible(), false)
})

inBrowser(
  'a transfer above the limit is made once its customer has typed what the mail beside it says',
  async (t) => {
    const { page, bank, field } = await visit(t)

    await order(bank)
    await field.waitFor()
    const mail = page.frameLocator('iframe[name=mail]').frameLocator('iframe')
    const code = codeIn({ text: await mail.locator('body').innerText() })
    t.is(await balance(bank), 'EUR 12,480.50')
    await field.pressSequentially(code)
    await page.keyboard.press('Enter')
    await bank
      .getByRole('status')
      .filter({ hasText: 'EUR 1,250.00 transferred to ACME GmbH, countersigned by you.' })
      .waitFor()

    t.is(await balance(bank), 'EUR 11,230.50')
    t.is(await bank.getByText('✓ countersigned').count(), 1)
  },
)

inBrowser(
  'backstage shows how the challenge stands, who called whom, what was decided, and no code',
  async (t) => {
    const { page, bank, field, code } = await visit(t)

    await order(bank)
    await field.waitFor()
    const typed = await code()
    await field.fill(typed)
    await page.locator('#steps [aria-current]').filter({ hasText: 'consumed' }).waitFor()

    const log = (await page.locator('#log > li').allTextContents())
      .toReversed()
      .map((line) => line.replace(/^[\d:]{8}/, '').trim())
    const inOrder = [
      /^Bank → CountersignPUT \/users\/alice-\w+201/,
      /^Bank → CountersignPOST \/challenges201/,
      /^challenge-opened by client/,
      /^Browser → CountersignPOST \/totp-email\/…\w{4}:initiate204/,
      /^otp-issued by user/,
      /^Browser → CountersignPOST \/totp-email\/…\w{4}:verify204/,
      /^Bank → CountersignPOST \/challenges\/…\w{4}:consume200/,
    ]
    let from = 0
    for (const line of inOrder) {
      const at = log.findIndex((each, n) => n >= from && line.test(each))
      t.not(at, -1, `${line} in\n${log.join('\n')}`)
      from = line.source.includes('otp-issued') ? 0 : at
    }
    t.true(log.some((line) => /^Browser → BankPOST \/bank\/transfers401STEP_UP_REQUIRED/.test(line)))
    t.false((await page.locator('#log').textContent())!.includes(typed))
  },
)

inBrowser('a wrong code is told, costs an attempt, and leaves the right one good', async (t) => {
  const { page, bank, field, code } = await visit(t)
  await order(bank)
  await field.waitFor()
  const right = await code()

  await field.fill(wrongCode(right))
  await bank.getByRole('alert').filter({ hasText: 'Tries left: 4' }).waitFor()
  await page.locator('#facts').filter({ hasText: 'Attempts left4' }).waitFor()
  await field.fill(right)

  await bank.getByText('countersigned by you').waitFor()
  t.is(await balance(bank), 'EUR 11,230.50')
})

inBrowser('another code can be had, and ends the one before it', async (t) => {
  const { bank, field, code } = await visit(t)
  await order(bank)
  await field.waitFor()
  const first = await code()

  await bank.getByRole('button', { name: 'Send another code' }).click()
  const second = await code(2)
  t.not(first, second)
  await field.fill(first)
  await bank.getByRole('alert').filter({ hasText: 'Tries left' }).waitFor()
  await field.fill(second)

  await bank.getByText('countersigned by you').waitFor()
  t.is(await balance(bank), 'EUR 11,230.50')
})

inBrowser(
  'a mail that bounces is told as one that did not arrive, and where codes cannot go none is sent',
  async (t) => {
    const visitor = await visit(t)
    const { page, bank } = visitor
    await goesWrong(visitor, 'The mail bounces')

    await order(bank)
    await bank.getByRole('status').filter({ hasText: 'did not arrive' }).waitFor()
    await page.locator('#facts').filter({ hasText: 'Mailbounced' }).waitFor()
    await page.locator('#log').getByText('address-suppressed').waitFor()

    t.is(await balance(bank), 'EUR 12,480.50')
  },
)

inBrowser('a challenge that expires is told, and nothing is transferred', async (t) => {
  const visitor = await visit(t)
  const { page, bank } = visitor
  await goesWrong(visitor, 'Only 20 seconds to countersign')

  await order(bank)
  await bank.getByRole('alert').filter({ hasText: 'The time to confirm this is over.' }).waitFor()
  await bank.getByRole('button', { name: 'Close' }).click()
  await bank.getByRole('alert').filter({ hasText: 'The time for countersigning has run out.' }).waitFor()
  await page.locator('#steps .ended').filter({ hasText: 'expired' }).waitFor()

  t.is(await balance(bank), 'EUR 12,480.50')
})

inBrowser('a transfer that is cancelled is over, and nothing is transferred', async (t) => {
  const { page, bank, field } = await visit(t)
  await order(bank)
  await field.waitFor()

  await bank.getByRole('button', { name: 'Do not confirm' }).click()
  await bank.getByRole('alert').filter({ hasText: 'You have cancelled the transfer.' }).waitFor()
  await page.locator('#steps .ended').filter({ hasText: 'cancelled' }).waitFor()

  t.is(await balance(bank), 'EUR 12,480.50')
  t.false(await bank.locator('#unfinished').isVisible())
})

inBrowser(
  'an amount that was tampered with after the countersignature is refused, and the page shows both',
  async (t) => {
    const visitor = await visit(t)
    const { page, bank, field, code } = visitor
    await goesWrong(visitor, 'The amount is tampered with afterwards')
    await order(bank)
    await field.waitFor()

    await field.fill(await code())
    await bank
      .getByRole('alert')
      .filter({ hasText: 'it is not the one that you have countersigned' })
      .waitFor()

    t.deepEqual(await bank.locator('#refusal tbody td').allTextContents(), ['EUR 1,250.00', 'EUR 9,250.00'])
    t.is(await balance(bank), 'EUR 12,480.50')
    await page.locator('#log').getByText('consumption-refused').waitFor()
    await page.locator('#log').getByText('OPERATION_DOES_NOT_MATCH_CHALLENGE').first().waitFor()
  },
)

inBrowser('whoever leaves the dialog, or reloads the page, goes on where they were', async (t) => {
  const { page, bank, field, code } = await visit(t)
  await order(bank)
  await field.waitFor()
  const only = await code()

  await page.reload()
  await bank.getByText('Waiting for your countersignature').waitFor()
  await bank.getByRole('button', { name: 'Continue' }).click()
  await field.fill(only)

  await bank.getByText('countersigned by you').waitFor()
  t.is(await balance(bank), 'EUR 11,230.50')
})

inBrowser('a transfer whose answer is lost can be asked for again, and is made once', async (t) => {
  const { page, bank, field, code } = await visit(t)
  let lost = false
  await page.route('**/bank/transfers', async (route) => {
    if (lost || !route.request().headers()['plmr-mfa-challenge-id']) return route.continue()
    lost = true
    await route.fetch()
    await route.abort()
  })
  await order(bank)
  await field.waitFor()
  await field.fill(await code())
  await bank.getByRole('alert').filter({ hasText: 'may have been carried out' }).waitFor()

  await bank.getByRole('button', { name: 'Continue' }).click()
  await bank.getByRole('alert').filter({ hasText: 'confirmed and carried out' }).waitFor()
  await bank.getByRole('button', { name: 'Close' }).click()
  await bank.getByText('countersigned by you').waitFor()

  t.is(await balance(bank), 'EUR 11,230.50')
})

inBrowser('what is no amount is told at its field, and asks nobody', async (t) => {
  const { page, bank } = await visit(t)
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))

  for (const amount of ['', '0', '0.00', '-5', '12.345', 'all', '1e3', '10000000']) {
    await order(bank, amount)
    await bank.getByText('An amount is a number such as').waitFor()
    t.is(await bank.getByLabel('Amount in EUR').getAttribute('aria-invalid'), 'true', amount)
  }

  t.false(asked.some((url) => url.endsWith('/bank/transfers')))
})

inBrowser('more than there is is not transferred, countersigned or not', async (t) => {
  const { bank, field, code } = await visit(t)

  await order(bank, '12,480.51')
  await field.waitFor()
  await field.fill(await code())
  await bank.getByRole('alert').filter({ hasText: 'not enough in your account' }).waitFor()

  t.is(await balance(bank), 'EUR 12,480.50')
})

inBrowser('whoever starts over is somebody new', async (t) => {
  const { page, bank } = await visit(t)
  await order(bank, '80.50')
  await bank.getByText('EUR 80.50 transferred').waitFor()

  await page.getByRole('button', { name: 'Start over as a new customer' }).click()

  await bank.getByText('EUR 12,480.50').waitFor()
  await bank.getByText('None yet.').waitFor()
  t.is(await page.locator('#log > li').count(), 1)
})

inBrowser('the keyboard alone is enough, from the amount to the transfer', async (t) => {
  const { page, bank, field, code } = await visit(t)
  await bank.getByLabel('Amount in EUR').focus()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('250')
  await page.keyboard.press('Enter')
  await field.waitFor()

  await page.keyboard.type(await code())
  await page.keyboard.press('Enter')
  await bank.getByText('EUR 250.00 transferred to ACME GmbH, countersigned by you.').waitFor()

  t.is(await balance(bank), 'EUR 12,230.50')
})

inBrowser(
  'on a phone everything is within the width, and the way from bank to mail is one tap',
  async (t) => {
    const { page, bank, field, code } = await visit(t, {
      viewport: { width: 375, height: 740 },
      hasTouch: true,
    })
    const overflows = async () =>
      Promise.all(
        page
          .frames()
          .map((frame) => frame.locator('html').evaluate((html) => html.scrollWidth > html.clientWidth)),
      )

    await order(bank)
    await field.waitFor()
    const typed = await code()
    await mailboxShows(page, typed)
    t.false((await overflows()).includes(true))
    await page.getByRole('link', { name: 'Mail', exact: true }).tap()
    await until(
      () => page.locator('#mail').evaluate((part) => part.getBoundingClientRect().top),
      (top) => top >= 0 && top < 100,
    )
    await page.getByRole('link', { name: 'Bank', exact: true }).tap()
    await field.fill(typed)
    await bank.getByText('countersigned by you').waitFor()

    t.false((await overflows()).includes(true))
  },
)

for (const [setting, reader] of [
  ['a wide font', WIDE_FONT],
  ['letters twice as large', LARGE_LETTERS],
  ['a wide font and letters twice as large', WIDE_AND_LARGE],
] as const) {
  inBrowser(`on a phone with ${setting} nothing asks to be scrolled sideways`, async (t) => {
    const visitor = await visit(t, { viewport: { width: 375, height: 740 }, hasTouch: true, reader })
    const { page, bank, field, code } = visitor

    await order(bank, '80.50')
    await bank.getByText('EUR 80.50 transferred').waitFor()
    await order(bank, 'all')
    t.deepEqual(await tooWide(page), [])

    await goesWrong(visitor, 'The amount is tampered with afterwards')
    await order(bank)
    await field.waitFor()
    const typed = await code()
    await mailboxShows(page, typed)
    t.deepEqual(await tooWide(page), [])

    await field.fill(typed)
    await bank.locator('#refusal table').waitFor()
    await page.locator('#log').getByText('consumption-refused').waitFor()
    await page.locator('#log summary').first().click()
    t.deepEqual(await tooWide(page), [])
    t.is(await letterSize(page), reader.sizeInPixels)
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  inBrowser(
    `axe finds nothing on the stage, in the bank, in the dialog, and in a refusal: ${colorScheme}`,
    async (t) => {
      const visitor = await visit(t, { colorScheme })
      const { page, bank, field, code } = visitor
      await goesWrong(visitor, 'The amount is tampered with afterwards')
      t.deepEqual(await findings(page), [])

      await order(bank)
      await field.waitFor()
      t.deepEqual(await findings(page), [])

      await field.fill(await code())
      await bank.locator('#refusal table').waitFor()
      await page.locator('#log summary').first().click()
      t.deepEqual(await findings(page), [])
    },
  )
}

/** What axe has against the stage and the bank; the mail is another test's. */
async function findings(page: Page): Promise<string[]> {
  const all = await Promise.all(
    page
      .frames()
      .filter((frame) => /:\d+\/(?:bank)?$/.test(frame.url()))
      .map(async (frame) => {
        await frame.evaluate(axe.source)
        return frame.evaluate(async () => {
          const { axe: examiner, document } = globalThis as unknown as { axe: typeof axe; document: string }
          const { violations } = await examiner.run(document, {
            iframes: false,
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
          })
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        })
      }),
  )
  return all.flat()
}
