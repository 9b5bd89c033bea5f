import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { launchChromium } from '../pictures/chromium.ts'
import { AgentIssuer, DESK } from '../support/agent-issuer.ts'
import { startedService } from './started-service.ts'

/* `npm run demo:pictures`: takes the README's pictures of the bank and the support desk, from a service that it starts for that. */

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
const managementPort = String(await freePort())
const desk = `http://127.0.0.1:${managementPort}`
const issuer = await new AgentIssuer().start(desk)
const service = await startedService({
  DATA_DIR: folder,
  MANAGEMENT_PORT: managementPort,
  SUPPORT_ORIGIN: desk,
  SUPPORT_ISSUER: issuer.url,
  SUPPORT_CLIENT_ID: DESK.clientId,
  SUPPORT_CLIENT_SECRET: DESK.clientSecret,
})
const browser = await launchChromium()
try {
  for (const scene of SCENES) await take(browser, scene)
  await takeDesk(browser)
} finally {
  await browser.close()
  await service.stop()
  await issuer.stop()
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

/** A customer who asked for a second code and typed five wrong ones, as a support agent sees it. */
async function takeDesk(browser: Browser): Promise<void> {
  const challengeId = await lockSomebody()
  const context = await browser.newContext({
    deviceScaleFactor: 1.25,
    viewport: { width: 1100, height: 1150 },
  })
  const page = await context.newPage()
  await page.goto(`${desk}/support/challenges/${challengeId}`)
  await page.getByRole('link', { name: 'agent-7' }).click()
  await page.getByRole('heading', { name: 'What to tell the caller' }).waitFor()
  await page.screenshot({ path: fileURLToPath(new URL('support-desk.png', FOLDER)) })
  await context.close()
}

async function lockSomebody(): Promise<string> {
  const userId = 'customer-4711'
  const crm = await tokenOf({ client_id: 'crm', scope: 'mfa:users:write' })
  await ask('PUT', `/internal/v1/mfa/users/${userId}`, crm, { email: 'robin@example.com', locale: 'en' })
  const payments = await tokenOf({ client_id: 'payments', scope: 'mfa:challenges:create' })
  const { challengeId } = await ask('POST', '/internal/v1/mfa/challenges', payments, {
    subjectUserId: userId,
    operation: {
      type: 'payments.initiate',
      digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
      summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
    },
  })
  const robin = await tokenOf({ sub: userId })
  const path = `/internal/v1/mfa/totp-email/${challengeId}`
  await ask('POST', `${path}:initiate`, robin, {})
  const mailIsOut = async () => {
    const challenge = await ask('GET', `/internal/v1/mfa/challenges/${challengeId}`, robin)
    return (challenge.issuance as { delivery?: string } | null)?.delivery === 'sent'
  }
  while (!(await mailIsOut())) await wait(200)
  for (let n = 0; n < 5; n += 1) await ask('POST', `${path}:verify`, robin, { totp: `00000${n}` })
  return String(challengeId)
}

async function tokenOf(request: Readonly<Record<string, string>>): Promise<string> {
  return String((await ask('POST', '/dev/token', undefined, request)).access_token)
}

async function ask(
  method: string,
  path: string,
  token: string | undefined,
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      'Content-Type': 'application/json',
      'plmr-idempotency-key': crypto.randomUUID(),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return text === '' ? {} : JSON.parse(text)
}
