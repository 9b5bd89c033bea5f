import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { HtmlLockMailComposer } from '../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import {
  HtmlOtpMailComposer,
  type LetterSettings,
} from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import type { LockWarning } from '../../src/application/ports/lock-mail-composer.ts'
import type { OtpNotice } from '../../src/application/ports/otp-mail-composer.ts'
import { launchChromium } from '../pictures/chromium.ts'

const FOLDER = new URL('../../docs/pictures/', import.meta.url)
const DESKTOP = 680
const PHONE = 375

const SETTINGS: LetterSettings = {
  brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: undefined,
}
const NOTICE: OtpNotice = {
  code: '042917',
  reference: 'QK',
  summary: [
    { label: 'Amount', value: 'EUR 1,250.00' },
    { label: 'To', value: 'ACME GmbH' },
    { label: 'Account', value: 'DE89 3704 0044 0532 0130 00' },
    { label: 'Reference', value: 'Invoice 2030-0017' },
  ],
  issuedAt: new Date('2030-01-01T12:00:00Z'),
  expiresAt: new Date('2030-01-01T12:05:00Z'),
  displayName: 'Alice Smith',
}
const ARABIC: Partial<OtpNotice> = {
  locale: 'ar',
  displayName: 'ليلى حداد',
  summary: [
    { label: 'المبلغ', value: '1,250.00 EUR' },
    { label: 'المستفيد', value: 'شركة النور للتجارة' },
    { label: 'رقم الحساب', value: 'DE89 3704 0044 0532 0130 00' },
    { label: 'الهاتف', value: '+49 30 1234567' },
  ],
}
const GERMAN: Partial<OtpNotice> = {
  locale: 'de-AT',
  displayName: 'Jürgen Groß',
  summary: [
    { label: 'Betrag', value: '1.250,00 EUR' },
    { label: 'Empfänger', value: 'ACME GmbH' },
    { label: 'Konto', value: 'DE89 3704 0044 0532 0130 00' },
    { label: 'Verwendungszweck', value: 'Rechnung 2030-0017' },
  ],
}
const HOSTILE: Partial<OtpNotice> = {
  displayName: 'Call 555 0100 now',
  summary: [
    { label: 'Amount', value: 'EUR 1\u202E000\u202C.00' },
    { label: 'To', value: '<b>ACME</b></td></tr></table><h1>Your code is 999999</h1>' },
    { label: 'Account {{code}} $t(code)', value: 'DE89\u200B 3704\u00AD 0044 {{value}} $&' },
    { label: 'Remittance'.repeat(4), value: 'x'.repeat(200) },
    { label: 'Note', value: `Z${'\u0301'.repeat(30)} a\r\nYour confirmation code (mark QK)\r\n999999` },
    { label: 'مرجع', value: 'דירה 12, رقم 34 — ACME' },
  ],
}
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="216" height="48" viewBox="0 0 216 48">
<path d="M6 42V18L24 6l18 12v24H30V28H18v14z" fill="#1c232b"/>
<text x="54" y="34" font-family="sans-serif" font-size="28" font-weight="700" fill="#1c232b">Fjord Bank</text></svg>`
const BRANDED: LetterSettings = {
  brand: { name: 'Fjord Bank', color: '#f2b705', logoUrl: 'https://bank.example/logo.svg' },
  timeZone: 'Europe/Berlin',
  appHost: undefined,
}

const WARNING: LockWarning = { lockedUntil: new Date('2030-01-01T12:15:00Z'), displayName: 'Alice Smith' }

interface Picture {
  readonly name: string
  /** Set for a picture of the mail about a lock. */
  readonly warning?: LockWarning
  readonly settings?: LetterSettings
  readonly notice?: Partial<OtpNotice>
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
  readonly scale?: number
}

const PICTURES: readonly Picture[] = [
  { name: 'mail-light' },
  { name: 'mail-dark', colorScheme: 'dark' },
  { name: 'mail-phone', width: PHONE },
  { name: 'mail-phone-dark', width: PHONE, colorScheme: 'dark' },
  { name: 'mail-right-to-left', notice: ARABIC },
  { name: 'mail-right-to-left-phone', notice: ARABIC, width: PHONE },
  { name: 'mail-hostile', notice: HOSTILE, scale: 1 },
  { name: 'mail-hostile-phone', notice: HOSTILE, width: PHONE, scale: 1 },
  { name: 'mail-branded', settings: BRANDED, notice: GERMAN },
  { name: 'mail-lock-notice', warning: WARNING },
  { name: 'mail-lock-notice-phone-dark', warning: WARNING, width: PHONE, colorScheme: 'dark' },
  {
    name: 'mail-lock-notice-right-to-left',
    warning: { ...WARNING, locale: 'ar', displayName: 'ليلى حداد' },
  },
]

const browser = await launchChromium()
try {
  await mkdir(FOLDER, { recursive: true })
  for (const picture of PICTURES) await take(browser, picture)
} finally {
  await browser.close()
}

/** Loads nothing from elsewhere: it answers the one address that a mail may contain, and blocks all others. */
async function take(
  browser: Browser,
  { name, settings = SETTINGS, warning, notice, width, colorScheme, scale }: Picture,
): Promise<void> {
  const page = await browser.newPage({
    viewport: { width: width ?? DESKTOP, height: 400 },
    colorScheme: colorScheme ?? 'light',
    deviceScaleFactor: scale ?? 1.25,
  })
  await page.route('**/*', (route) =>
    route.request().url() === BRANDED.brand.logoUrl
      ? route.fulfill({ contentType: 'image/svg+xml', body: LOGO })
      : route.abort(),
  )
  const { html } = warning
    ? new HtmlLockMailComposer(settings).compose(warning)
    : new HtmlOtpMailComposer(settings).compose({ ...NOTICE, ...notice })
  await page.setContent(html, { waitUntil: 'load' })
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, FOLDER)), fullPage: true })
  await page.close()
}
