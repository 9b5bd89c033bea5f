import test from 'ava'
import type { Browser } from 'playwright-core'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import { launchChromium } from '../../../tools/pictures/chromium.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'
import { inBrowser, setUpReader, tooWide, WIDE_FONT, whyNoPages } from '../../support/in-browser.ts'

const SETTINGS = {
  brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'Europe/Berlin',
  appHost: undefined,
}
const otp = new HtmlOtpMailComposer(SETTINGS)
const lock = new HtmlLockMailComposer(SETTINGS)

let browser: Browser

test.before(async () => {
  if (!whyNoPages) browser = await launchChromium()
})

test.after.always(() => browser?.close())

for (const { language: locale } of createWordings()) {
  inBrowser(`on a phone with a wide font, no mail has to be scrolled sideways (${locale})`, async (t) => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    t.teardown(() => page.close())
    await setUpReader(page, WIDE_FONT)

    for (const { html } of [
      otp.compose({
        ...{ code: '04291706', reference: 'QM', summary: TRANSFER.summary, locale },
        ...{ issuedAt: NOON, expiresAt: afterNoon(300), displayName: 'Alice Smith' },
      }),
      lock.compose({ lockedUntil: NOON, locale, displayName: 'Alice Smith' }),
    ]) {
      await page.setContent(html)
      t.deepEqual(await tooWide(page), [])
    }
  })
}
