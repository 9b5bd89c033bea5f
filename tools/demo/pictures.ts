import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core'
import { launchChromium } from '../pictures/chromium.ts'
import { startedService } from './started-service.ts'

/* `npm run demo:pictures`: takes the README's pictures of the bank, from a service that it starts for that. */

const FOLDER = new URL('../../docs/pictures/', import.meta.url)

interface Scene {
  readonly name: string
  readonly options: BrowserContextOptions
  readonly play: (page: Page, bank: FrameLocator) => Promise<void>
}

const SCENES: readonly Scene[] = [
  { name: 'bank', options: { viewport: { width: 1440, height: 900 } }, play: toTheCode },
  {
    name: 'bank-tampered-dark',
    options: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
    play: async (page, bank) => {
      await page.getByLabel('The amount is tampered with afterwards').check()
      await toTheCode(page, bank)
      const mail = page.frameLocator('iframe[name=mail]').frameLocator('iframe')
      const [code] = /(?<!\d)\d{6}(?!\d)/.exec(await mail.locator('body').innerText()) ?? []
      await bank
        .locator('countersign-dialog')
        .getByRole('textbox')
        .fill(code ?? '')
      await bank.locator('#refusal table').waitFor()
      await page.locator('#log').getByText('consumption-refused').waitFor()
    },
  },
  {
    name: 'bank-phone',
    options: { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true },
    play: toTheCode,
  },
]

const folder = await mkdtemp(join(tmpdir(), 'countersign-pictures-'))
// If root runs this, the embedded database runs under another account, which needs access.
await chmod(folder, 0o755)
const service = await startedService({ DATA_DIR: folder })
const browser = await launchChromium()
try {
  for (const scene of SCENES) await take(browser, scene)
} finally {
  await browser.close()
  await service.stop()
  await rm(folder, { recursive: true, force: true })
}

async function take(browser: Browser, { name, options, play }: Scene): Promise<void> {
  const context = await browser.newContext({ deviceScaleFactor: 1.25, ...options })
  const page = await context.newPage()
  await page.goto(service.url)
  const bank = page.frameLocator('iframe[name=bank]')
  await bank.getByText('EUR 12,480.50').waitFor()
  await play(page, bank)
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, FOLDER)) })
  await context.close()
}

/** Orders a transfer, and waits until its code is in the mailbox. */
async function toTheCode(page: Page, bank: FrameLocator): Promise<void> {
  await bank.getByRole('button', { name: 'Transfer', exact: true }).click()
  await bank.locator('countersign-dialog').getByRole('textbox').waitFor()
  await page.frameLocator('iframe[name=mail]').frameLocator('iframe').getByText('Read first').waitFor()
  await page.locator('#facts').filter({ hasText: 'sent, to' }).waitFor()
}
