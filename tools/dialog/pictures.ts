import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { StubChallenge } from '../../test/kit/stub-challenge.ts'
import { launchChromium } from '../pictures/chromium.ts'

/* `npm run dialog:pictures`: the film strip of the dialog in the guide, on a phone, with the answers that a service would give. */

const ORIGIN = 'https://bank.example'
const KIT = new URL('../../packages/kit/src/browser/', import.meta.url)
const FOLDER = new URL('../../docs/pictures/', import.meta.url)
/** What its keyboard leaves of the phone. */
const [PHONE, ABOVE_THE_KEYBOARD] = [667, 380].map((height) => ({ width: 375, height })) as [Size, Size]

interface Size {
  readonly width: number
  readonly height: number
}

const BANK = `<!doctype html><html lang="en"><head><title>Bank</title>
<script type="module" src="/kit/countersign-dialog.ts"></script>
<style>body { margin: 0; font: 1rem/1.5 sans-serif } header { padding: 1rem 1.25rem; color: #fff; background: #0f4c5c }</style></head>
<body><header>Fjord Bank</header><countersign-dialog></countersign-dialog></body></html>`

interface Scene {
  readonly name: string
  readonly size?: Size
  readonly set?: (challenge: StubChallenge) => void
  readonly play?: (page: Page) => Promise<unknown>
}

const SCENES: readonly Scene[] = [
  { name: 'dialog-1-read' },
  { name: 'dialog-2-type', size: ABOVE_THE_KEYBOARD, play: (page) => type(page, '0429') },
  {
    name: 'dialog-3-not-a-code',
    size: ABOVE_THE_KEYBOARD,
    play: async (page) => {
      await type(page, '04291')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').filter({ hasText: 'only the code' }).waitFor()
    },
  },
  {
    name: 'dialog-4-signed-out',
    play: async (page) => {
      await type(page, '042917')
      await page.getByRole('button', { name: 'Try again' }).waitFor()
    },
    set: (challenge) => challenge.refuse('verify', 401, 'UNAUTHORIZED'),
  },
  {
    name: 'dialog-6-brand',
    set: (challenge) => {
      challenge.brand = { name: 'Bank B', color: '#7a1f2b', textColor: '#ffffff', logoUrl: null }
    },
  },
  {
    name: 'dialog-5-confirmed',
    play: async (page) => {
      await type(page, '042917')
      await page.getByRole('status').filter({ hasText: 'Confirmed.' }).waitFor()
    },
  },
]

const browser = await launchChromium()
try {
  for (const scene of SCENES) await take(browser, scene)
} finally {
  await browser.close()
}

/** Nothing is loaded from anywhere: every call of the page is answered here. */
async function take(browser: Browser, { name, size = PHONE, set, play }: Scene): Promise<void> {
  const challenge = new StubChallenge()
  challenge.summary = [
    { label: 'Amount', value: 'EUR 1,250.00' },
    { label: 'To', value: 'ACME GmbH' },
    { label: 'Account', value: 'DE89 3704 0044 0532 0130 00' },
    { label: 'Reference', value: 'Invoice 2030-0017' },
  ]
  set?.(challenge)
  const context = await browser.newContext({
    viewport: size,
    deviceScaleFactor: 1.25,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  await page.route('**/*', async (route) => {
    const { pathname, origin } = new URL(route.request().url())
    if (origin !== ORIGIN) return route.abort()
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: BANK })
    if (pathname.startsWith('/kit/')) {
      const source = await readFile(fileURLToPath(new URL(pathname.slice('/kit/'.length), KIT)), 'utf8')
      return route.fulfill({ contentType: 'text/javascript', body: stripTypeScriptTypes(source) })
    }
    const { status, body } = challenge.answer(route.request().method(), pathname, route.request().postData())
    return route.fulfill({ status, body: body === undefined ? '' : JSON.stringify(body) })
  })
  await page.goto(`${ORIGIN}/`)
  // Evaluated as text: the types of this project have no pages.
  await page.evaluate(`void document.querySelector('countersign-dialog')
    .countersign({ challengeId: 'c1', accessToken: () => 'token-of-alice' })`)
  await page.getByRole('textbox').waitFor()
  await play?.(page)
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, FOLDER)) })
  await context.close()
}

function type(page: Page, digits: string): Promise<void> {
  return page.getByRole('textbox').pressSequentially(digits)
}
