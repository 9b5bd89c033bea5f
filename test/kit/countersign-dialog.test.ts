import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { LANGUAGES, WORDINGS } from '../../packages/kit/src/browser/dialog-languages.ts'
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
import { VISIBLE_TEXTS } from '../support/visible-texts.ts'
import { StubChallenge } from './stub-challenge.ts'

const ORIGIN = 'https://bank.example'
const PHONE = { width: 375, height: 740 }
const KIT = new URL('../../packages/kit/src/browser/', import.meta.url)
/** What a careful bank sends with its pages. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"

const PAGE = (language: string) => `<!doctype html>
<html lang="${language}"><head><title>Bank</title><script type="module" src="/page.js"></script></head>
<body><header>Bank of the page</header><main><h1>Bank</h1><button id="pay">Pay</button><countersign-dialog></countersign-dialog></main></body></html>`

const SCRIPT = `
import '/kit/countersign-dialog.ts'
window.outcomes = []
window.token = 'token-of-alice'
const dialog = document.querySelector('countersign-dialog')
document.addEventListener('countersign-end', ({ detail }) => window.outcomes.push(detail))
window.countersign = (challengeId) => dialog.countersign({ challengeId, accessToken: () => window.token })
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
    if (token !== `Bearer ${challenge.token}`) return route.fulfill({ status: 401 })
    const answer = challenge.answer(request.method(), pathname, request.postData())
    if (answer.status === 0) return route.abort('internetdisconnected')
    const { status, headers, body, text = body === undefined ? '' : JSON.stringify(body) } = answer
    return route.fulfill({
      status,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: text,
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

inBrowser('a mail that waits is told as late, until it is no longer on its way', async (t) => {
  const challenge = new StubChallenge()
  challenge.delayedAt = new Date().toISOString()
  const page = await opened(t, challenge)

  await page.getByRole('status').filter({ hasText: 'is late' }).waitFor()
  challenge.delivery = 'delivered'
  await page.getByRole('status').filter({ hasText: 'We have sent a code' }).waitFor()
  t.pass()
})

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

inBrowser(
  'a label and a value show what the mail shows: each character, no link, and no other code',
  async (t) => {
    const challenge = new StubChallenge()
    challenge.summary = VISIBLE_TEXTS.flatMap(([text]) => [
      { label: text, value: 'value' },
      { label: 'label', value: text },
    ])
    const page = await opened(t, challenge)
    await codeField(page).waitFor()

    const shown = VISIBLE_TEXTS.map(([, shown]) => shown)
    const [labels, values] = [
      await page.locator('dt').allTextContents(),
      await page.locator('dd').allTextContents(),
    ]
    t.deepEqual(
      labels.filter((_, index) => index % 2 === 0),
      shown,
    )
    t.deepEqual(
      values.filter((_, index) => index % 2 === 1),
      shown,
    )
  },
)

for (const [codeDigits, shown] of [
  [6, ['[4]82915', '4829151', '48291512', '482915123']],
  [8, ['482915', '4829151', '[4]8291512', '482915123']],
  [undefined, ['[4]82915', '[4]829151', '[4]8291512', '482915123']],
] as const) {
  inBrowser(
    `beside a code of ${codeDigits ?? 'unknown'} digits, no value has a number of that length`,
    async (t) => {
      const challenge = new StubChallenge()
      challenge.codeDigits = codeDigits
      challenge.summary = shown.map((value) => ({ label: 'No.', value: value.replaceAll(/[[\]]/g, '') }))
      const page = await opened(t, challenge)
      await codeField(page).waitFor()

      t.deepEqual(await page.locator('dd').allTextContents(), [...shown])
    },
  )
}

inBrowser('each label and each value is a bidirectional paragraph of its own', async (t) => {
  const challenge = new StubChallenge()
  challenge.summary = [{ label: 'To', value: 'אבג 1,250.00' }]
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  for (const part of ['dt', 'dd']) t.is(await page.locator(part).getAttribute('dir'), 'auto')
})

test('the rules of the dialog for text from elsewhere are those of the mail, to the last character', async (t) => {
  const [dialog, mail] = await Promise.all(
    [
      new URL('visible-text.ts', KIT),
      new URL('../../src/adapters/mail-composer/visible-text.ts', import.meta.url),
    ].map((file) => readFile(file, 'utf8')),
  )

  t.is(dialog, mail)
})

/** How often the service was given a code. */
const guesses = (challenge: StubChallenge) => challenge.given.length

/** Long enough for a call that must not come. */
const quiet = (page: Page) => page.waitForTimeout(250)

const alarm = (page: Page, words: string | RegExp) => page.getByRole('alert').filter({ hasText: words })

async function paste(page: Page, text: string): Promise<void> {
  // Chromium has no clipboard to share without a display, so this is what it does with one.
  await codeField(page).evaluate((field, data) => {
    const { value, selectionStart, selectionEnd } = field as unknown as Field
    ;(field as unknown as Field).value =
      value.slice(0, selectionStart) + data.replaceAll(/[\r\n]/g, '') + value.slice(selectionEnd)
    field.dispatchEvent(
      new InputEvent('input', { inputType: 'insertFromPaste', data, bubbles: true, composed: true }),
    )
  }, text)
}

interface Field {
  value: string
  readonly selectionStart: number
  readonly selectionEnd: number
}
declare const InputEvent: new (type: string, init: object) => Event

inBrowser('the last digit typed at the end gives the code', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await codeField(page).pressSequentially('04291')
  await quiet(page)
  t.is(guesses(challenge), 0)
  await codeField(page).pressSequentially('7')
  await ended(page)

  t.deepEqual(challenge.given, ['042917'])
})

inBrowser('what is deleted or corrected is given only when the user says so', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  for (const keys of [
    ['9', '0', '4', '2', '9', '1', 'Home', 'Delete', '7', 'Backspace', 'Home', '7'],
    ['ControlOrMeta+A', 'Delete', '0', '4', '2', '9', '1', 'ArrowLeft', '1'],
    [
      'ControlOrMeta+A',
      'Delete',
      '0',
      '4',
      '2',
      '9',
      '9',
      'ArrowLeft',
      'ArrowLeft',
      'Shift+ArrowRight',
      '1',
      '5',
    ],
    ['ControlOrMeta+A', 'Backspace', 'ControlOrMeta+Z', 'ControlOrMeta+Shift+Z'],
  ]) {
    for (const key of keys) await page.keyboard.press(key)
    await quiet(page)
  }
  t.is(guesses(challenge), 1, 'only the six digits that were typed one after the other')
})

inBrowser('seven digits with one too many cost no guess while one of them is deleted', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await paste(page, '9042917')
  await alarm(page, 'It has \u20686\u2069 digits').waitFor()
  await page.keyboard.press('Home')
  await page.keyboard.press('Delete')
  await quiet(page)
  t.is(guesses(challenge), 0)
  t.is(await page.getByRole('alert').textContent(), '')

  await page.keyboard.press('Enter')
  await ended(page)
  t.deepEqual(challenge.given, ['042917'])
})

inBrowser('from a service that does not say how long a code is, a typed code waits for Enter', async (t) => {
  const challenge = new StubChallenge()
  challenge.codeDigits = undefined
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await codeField(page).pressSequentially('04291')
  await page.keyboard.press('Enter')
  await alarm(page, 'It has \u20686–8\u2069 digits').waitFor()
  await codeField(page).pressSequentially('7')
  await quiet(page)
  t.is(guesses(challenge), 0)
  await page.keyboard.press('Enter')
  await ended(page)

  t.deepEqual(challenge.given, ['042917'])
})

for (const [what, text] of [
  ['a sentence', 'Hello Alice, your confirmation code with the mark QK is 042917. It counts for 5 minutes.'],
  ['digits in groups', ' 042 - 917 '],
  ['digits with a line feed and a space that cannot be seen', '\u200B042\u00A0917\n'],
  ['Arabic digits', '٠٤٢٩١٧'],
] as const) {
  inBrowser(`${what} that was pasted gives its code, and nothing else`, async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge)
    await codeField(page).waitFor()

    await paste(page, text)
    await ended(page)

    t.deepEqual(challenge.given, ['042917'])
  })
}

inBrowser('a code that is pasted behind a wrong one is given alone', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await codeField(page).pressSequentially('111111')
  await alarm(page, 'Tries left: 4').waitFor()
  await page.keyboard.press('End')
  await paste(page, '042917')
  await ended(page)

  t.deepEqual(challenge.given, ['111111', '042917'])
})

for (const language of LANGUAGES) {
  inBrowser(`what cannot be a code is refused in words, without a call (${language})`, async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge, { language })
    await codeField(page).waitFor()
    const words = WORDINGS[language].notACode.split('{count}')[0]!

    for (const [how, text] of [
      ['typed', '04291'],
      ['typed', 'O42917'],
      ['pasted', '0429170'],
      ['pasted', '042917 042918'],
      ['pasted', 'Your code is in the mail'],
    ] as const) {
      await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.press('Delete')
      t.is(await page.getByRole('alert').textContent(), '')
      if (how === 'pasted') await paste(page, text)
      else {
        await codeField(page).pressSequentially(text)
        await page.keyboard.press('Enter')
      }
      await alarm(page, words).waitFor()
      t.is(await codeField(page).getAttribute('aria-invalid'), 'true')
    }
    t.is(guesses(challenge), 0)
  })
}

inBrowser('a code that has ended is refused in words, without a call, until there is another', async (t) => {
  const challenge = new StubChallenge()
  challenge.codeLifetimeInSeconds = 1
  challenge.cooldownInSeconds = 1
  const page = await opened(t, challenge)
  await page.getByText(`${WORDINGS.en.codeExpired} ${WORDINGS.en.getAnother}`).waitFor()

  await codeField(page).pressSequentially('042917')
  await alarm(page, WORDINGS.en.codeExpired).waitFor()
  t.is(guesses(challenge), 0)

  challenge.codeLifetimeInSeconds = 300
  await page.getByRole('button', { name: 'Send another code' }).click()
  await page.getByRole('status').filter({ hasText: 'RL' }).waitFor()
  await codeField(page).pressSequentially('042917')
  await ended(page)
  t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
})

inBrowser('when the last code has ended the dialog asks for nothing that cannot be had', async (t) => {
  const challenge = new StubChallenge()
  challenge.codeLifetimeInSeconds = 1
  challenge.cooldownInSeconds = null
  const page = await opened(t, challenge)

  await page.getByText(`${WORDINGS.en.codeExpired} ${WORDINGS.en.noMoreCodes}`).waitFor()

  t.is(await page.getByText(WORDINGS.en.getAnother).count(), 0)
})

for (const minutes of [-30, 30]) {
  inBrowser(`a device whose clock is ${minutes} minutes ahead takes a code that counts`, async (t) => {
    const challenge = new StubChallenge(() => Date.now() - minutes * 60_000)
    challenge.expiresInSeconds = 3600
    const page = await opened(t, challenge)
    await codeField(page).waitFor()

    await codeField(page).pressSequentially('042917')
    await ended(page)

    t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
  })
}

inBrowser('the same wrong code again costs no second guess', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  for (let n = 0; n < 3; n++) {
    await codeField(page).pressSequentially('111111')
    await alarm(page, 'Tries left: 4').waitFor()
  }

  t.deepEqual(challenge.given, ['111111'])
})

inBrowser('Enter after the last digit presses nothing else of the page', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()

  await codeField(page).pressSequentially('042917')
  await page.keyboard.press('Enter')
  await ended(page)
  await quiet(page)

  t.is(await page.locator('dialog[open]').count(), 0)
  t.is(challenge.calls.filter((call) => call === 'verify').length, 1)
})

interface Globals {
  token: string
  outcome: unknown
  countersign(challengeId: string): Promise<unknown>
}
const renewToken = (page: Page, token: string) =>
  page.evaluate((renewed) => {
    ;(globalThis as unknown as Globals).token = renewed
  }, token)

for (const call of ['GET', 'initiate', 'verify', 'cancel'] as const) {
  for (const [what, status, words, outcome] of [
    ['a stale token', 401, WORDINGS.en.signedOut, 'signed-out'],
    ['a fault of the service', 500, WORDINGS.en.unavailable, 'unreachable'],
    ['no network', 0, WORDINGS.en.unavailable, 'unreachable'],
    ['a proxy that knows nothing', 404, WORDINGS.en.notFound, 'not-found'],
  ] as const) {
    inBrowser(`with ${what} at ${call} one can try again, and close (by touch)`, async (t) => {
      const challenge = new StubChallenge()
      challenge.refuse(call, status, 'X')
      challenge.refuse(call, status, 'X')
      const page = await opened(t, challenge, { hasTouch: true, viewport: PHONE })
      if (call === 'verify') await codeField(page).fill('042917')
      if (call === 'cancel') await page.getByRole('button', { name: 'Do not confirm' }).tap()
      await alarm(page, words).waitFor()

      await page.getByRole('button', { name: 'Try again' }).tap()
      await until(
        async () => challenge.refusals.get(call)!.length,
        (left) => left === 0,
      )
      await alarm(page, words).waitFor()
      await page.getByRole('button', { name: 'Close' }).tap()
      await ended(page)

      t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome }])
    })
  }

  if (call === 'initiate') continue

  inBrowser(`a renewed token is used when ${call} is tried again`, async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge)
    if (call === 'verify' || call === 'cancel') await codeField(page).waitFor()
    else {
      await page.getByRole('button', { name: 'Close' }).click()
      await ended(page)
      challenge.issuance = null
    }
    challenge.token = 'renewed'
    const before = challenge.calls.length
    if (call === 'verify') await codeField(page).fill('042917')
    else if (call === 'cancel') await page.getByRole('button', { name: 'Do not confirm' }).click()
    else await page.getByRole('button', { name: 'Pay' }).click()
    await alarm(page, WORDINGS.en.signedOut).waitFor()
    t.is(challenge.calls.length, before)

    await renewToken(page, 'renewed')
    await page.getByRole('button', { name: 'Try again' }).click()
    if (call === 'verify' || call === 'cancel') {
      await until(
        () => outcomes(page),
        (all) => all.length > 0,
      )
      t.is(challenge.status, call === 'verify' ? 'verified' : 'cancelled')
    } else {
      await codeField(page).waitFor()
      t.is(await page.getByRole('alert').textContent(), '')
    }
  })
}

for (const call of ['GET', 'initiate', 'verify', 'cancel'] as const) {
  inBrowser(`the dialog can be closed while ${call} has no answer (by touch)`, async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge, { hasTouch: true, viewport: PHONE })
    await codeField(page).waitFor()
    if (call === 'GET' || call === 'initiate') {
      await page.getByRole('button', { name: 'Close' }).tap()
      await ended(page)
    }
    // Never answered.
    await page.route(call === 'GET' ? '**/challenges/c1' : `**/*:${call}`, () => {})
    if (call === 'verify') await codeField(page).pressSequentially('042917')
    else if (call === 'cancel') await page.getByRole('button', { name: 'Do not confirm' }).tap()
    else {
      challenge.issuance = null
      await page.getByRole('button', { name: 'Pay' }).tap()
      const goesOn = call === 'GET' ? WORDINGS.en.loading : WORDINGS.en.sending
      await page.getByRole('status').filter({ hasText: goesOn }).waitFor()
    }
    await page.getByRole('button', { name: 'Close' }).tap()
    await until(
      () => page.locator('dialog[open]').count(),
      (open) => open === 0,
    )

    t.deepEqual((await outcomes(page)).at(-1), { challengeId: 'c1', outcome: 'closed' })
  })
}

for (const [what, body] of [
  ['a page of a portal', '<html>Sign in to the network</html>'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['another object', '{"status":"ok"}'],
] as const) {
  inBrowser(`${what} in the place of the challenge can be tried again`, async (t) => {
    const challenge = new StubChallenge()
    challenge.refusals.set('GET', [{ status: 200, text: body }])
    const page = await opened(t, challenge)

    await alarm(page, WORDINGS.en.unavailable).waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await codeField(page).waitFor()

    t.pass()
  })
}

for (const [what, token] of [
  ['throws', '() => { throw new Error("signed out") }'],
  ['rejects', '() => Promise.reject(new Error("signed out"))'],
  ['has none', '() => undefined'],
] as const) {
  inBrowser(`a source of tokens that ${what} means signed out, and settles`, async (t) => {
    const page = await opened(t)
    await codeField(page).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()

    await page.evaluate((source) => {
      const { document } = globalThis as unknown as { document: { querySelector(name: string): Opener } }
      // The page's policy forbids eval, so the three are written out.
      const accessToken = {
        [source]: source.includes('throw')
          ? () => {
              throw new Error('signed out')
            }
          : source.includes('reject')
            ? () => Promise.reject(new Error('signed out'))
            : () => undefined,
      }[source]
      void document.querySelector('countersign-dialog').countersign({ challengeId: 'c1', accessToken })
    }, token)
    await alarm(page, WORDINGS.en.signedOut).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await ended(page, 2)

    t.deepEqual((await outcomes(page)).at(-1), { challengeId: 'c1', outcome: 'signed-out' })
  })
}

interface Element {
  getAttribute(name: string): string | null
  dispatchEvent(event: Event): boolean
}

interface Opener {
  countersign(options: object): Promise<unknown>
  remove(): void
  readonly shadowRoot: { querySelector(name: string): { close(): void } }
}

inBrowser('a source of tokens that never answers does not hold the user', async (t) => {
  const page = await opened(t)
  await codeField(page).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()

  await page.evaluate(() => {
    const { document } = globalThis as unknown as { document: { querySelector(name: string): Opener } }
    void document
      .querySelector('countersign-dialog')
      .countersign({ challengeId: 'c1', accessToken: () => new Promise(() => {}), timeoutInMs: 300 })
  })
  await alarm(page, WORDINGS.en.unavailable).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await ended(page, 2)

  t.deepEqual((await outcomes(page)).at(-1), { challengeId: 'c1', outcome: 'unreachable' })
})

for (const [what, close] of [
  [
    'the page closes the dialog inside',
    (dialog: Opener) => dialog.shadowRoot.querySelector('dialog').close(),
  ],
  ['the element leaves the page', (dialog: Opener) => dialog.remove()],
] as const) {
  inBrowser(`countersign() settles also when ${what}`, async (t) => {
    const page = await opened(t)
    await codeField(page).waitFor()

    await page.locator('countersign-dialog').evaluate(close as never)
    await until(
      () => outcomes(page),
      (all) => all.length === 1 || what.includes('leaves'),
    )

    t.is(await page.locator('dialog[open]').count(), 0)
  })
}

inBrowser('an element outside of a page throws, and opens once it is in one', async (t) => {
  const page = await opened(t)
  await codeField(page).waitFor()
  await page.keyboard.press('Escape')
  await ended(page)

  const outcome = await page.evaluate(async () => {
    const { document } = globalThis as unknown as {
      document: { createElement(name: string): Opener; body: { append(element: Opener): void } }
    }
    const dialog = document.createElement('countersign-dialog')
    const options = { challengeId: 'c1', accessToken: () => 'token-of-alice' }
    const refused = await dialog.countersign(options).catch((error: Error) => error.message)
    document.body.append(dialog)
    const ended = dialog.countersign(options)
    dialog.remove()
    return [refused, await ended]
  })

  t.deepEqual(outcome, ['The element is not in a page', 'closed'])
})

inBrowser('what comes back late, after the dialog was closed, does not touch the next one', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/*:verify', async (route) => {
    await held
    await route.fulfill({ status: 500 })
  })

  await codeField(page).pressSequentially('042917')
  await page.keyboard.press('Escape')
  await ended(page)
  await page.getByRole('button', { name: 'Pay' }).click()
  await codeField(page).waitFor()
  release()
  await quiet(page)

  t.is(await page.getByRole('alert').textContent(), '')
  t.true(await codeField(page).isEditable())
})

for (const [what, lose] of [
  [
    'the answer to the code was lost',
    async (page: Page, challenge: StubChallenge) => {
      await page.route(
        '**/*:verify',
        async (route) => {
          challenge.answer('POST', '/c1:verify', route.request().postData())
          await route.abort('connectionreset')
        },
        { times: 1 },
      )
    },
  ],
  [
    'the look after the code failed',
    async (_: Page, challenge: StubChallenge) => challenge.refuse('GET', 503, 'X'),
  ],
] as const) {
  inBrowser(`when ${what} the next try finds that all is confirmed`, async (t) => {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge)
    await codeField(page).waitFor()
    await lose(page, challenge)

    await codeField(page).pressSequentially('042917')
    await alarm(page, WORDINGS.en.unavailable).waitFor()
    t.is(challenge.status, 'verified')
    challenge.refuse('verify', 410, 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('status').filter({ hasText: WORDINGS.en.verified }).waitFor()
    t.is(await page.getByRole('alert').textContent(), '')
    await ended(page)

    t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
  })
}

inBrowser('a code that an input method composes is given when its last digit stands', async (t) => {
  const challenge = new StubChallenge()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()
  const keyboard = await page.context().newCDPSession(page)
  const compose = async (text: string) => {
    await keyboard.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    })
    await quiet(page)
  }

  for (const text of ['０', '０４', '０４２', '０４', '０４２', '０４２９', '０４２９１']) await compose(text)
  t.is(guesses(challenge), 0)
  await compose('０４２９１７')
  await ended(page)

  t.deepEqual(challenge.given, ['042917'])
})

inBrowser('a limit without a time is told as one, and can be tried again later', async (t) => {
  const challenge = new StubChallenge()
  challenge.refuse('initiate', 429, 'BAD_REQUEST')
  const page = await opened(t, challenge)

  await alarm(page, /in 0:[23]\d/).waitFor()
  t.true(await page.getByRole('button', { name: /^Another code in/ }).isDisabled())
})

function withLongCode(): StubChallenge {
  const challenge = new StubChallenge()
  challenge.codeDigits = 8
  return challenge
}

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
      const page = await opened(t, withLongCode(), {
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

/** The buttons whose words take more than two lines. */
function tallButtons(page: Page): Promise<string[]> {
  return page.locator('button').evaluateAll((buttons) =>
    buttons
      .filter((button) => {
        const words = button.ownerDocument.createRange()
        words.selectNodeContents(button)
        return new Set([...words.getClientRects()].map(({ top }) => Math.round(top))).size > 2
      })
      .map(({ textContent }) => textContent ?? ''),
  )
}

for (const language of LANGUAGES) {
  inBrowser(`on a phone the words of each button take two lines at most (${language})`, async (t) => {
    const challenge = new StubChallenge()
    challenge.cooldownInSeconds = 600
    const page = await opened(t, challenge, { language, viewport: PHONE })
    await codeField(page).waitFor()
    t.deepEqual(await tallButtons(page), [])

    challenge.refuse('verify', 503, 'INTERNAL_SERVER_ERROR')
    await codeField(page).fill('042917')
    await page.getByRole('button', { name: WORDINGS[language].retry, exact: true }).waitFor()
    t.deepEqual(await tallButtons(page), [])

    const away = new StubChallenge()
    away.refuse('GET', 503, 'INTERNAL_SERVER_ERROR')
    const other = await opened(t, away, { language, viewport: PHONE })
    await other.getByRole('button', { name: WORDINGS[language].close, exact: true }).first().waitFor()
    t.deepEqual(await tallButtons(other), [])
  })
}

inBrowser("on a phone the dialog grows with its page's letters, and stays within the width", async (t) => {
  const page = await opened(t, withLongCode(), { viewport: PHONE, bypassCSP: true })
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

/** Ten lines, of which the first two say how much, and to whom. */
function withTenLines(): StubChallenge {
  const challenge = new StubChallenge()
  challenge.summary = [
    ...challenge.summary,
    ...Array.from({ length: 8 }, (_, n) => ({ label: `Detail ${n + 3}`, value: `Value of detail ${n + 3}` })),
  ]
  return challenge
}

/** Whether all of an element is in what is seen of the page, and nothing lies upon it. */
function isInView(element: Locator): Promise<boolean> {
  return element.evaluate((each) => {
    const view = each.ownerDocument.defaultView!
    const height = view.visualViewport?.height ?? view.innerHeight
    const root = each.getRootNode() as unknown as {
      elementFromPoint(x: number, y: number): typeof each | null
    }
    const { left, right, top, bottom } = each.getBoundingClientRect()
    const points = [top + 2, (top + bottom) / 2, bottom - 2].map((y) => [(left + right) / 2, y] as const)
    return (
      top >= -1 &&
      bottom <= height + 1 &&
      points.every(([x, y]) => {
        const found = root.elementFromPoint(x, y)
        return found !== null && (found === each || each.contains(found) || found.contains(each))
      })
    )
  })
}

async function viewOf(page: Page) {
  const lines = page.locator('dl > div')
  return {
    amount: await isInView(lines.nth(0)),
    payee: await isInView(lines.nth(1)),
    field: await isInView(codeField(page)),
    confirm: await isInView(page.getByRole('button', { name: WORDINGS.en.confirm, exact: true })),
  }
}
const ALL_IN_VIEW = { amount: true, payee: true, field: true, confirm: true }

/** 375 by 667 is a small phone, and 375 by 380 what its keyboard leaves of it. */
for (const [width, height] of [
  [375, 667],
  [375, 380],
  [320, 568],
  [360, 640],
  [360, 400],
  [390, 844],
  [667, 375],
  [768, 1024],
  [900, 500],
] as const) {
  inBrowser(
    `amount and payee are in view while the code is typed, of ten lines, at ${width} by ${height}`,
    async (t) => {
      const page = await opened(t, withTenLines(), { viewport: { width, height } })
      await codeField(page).waitFor()
      await quiet(page)
      t.deepEqual(await viewOf(page), ALL_IN_VIEW, 'on opening')
      t.true(await codeField(page).evaluate((field) => field.matches(':focus')))

      await codeField(page).pressSequentially('0429')
      t.deepEqual(await viewOf(page), ALL_IN_VIEW, 'while it is typed')

      await page.keyboard.press('Enter')
      await alarm(page, 'Enter only the code').waitFor()
      t.true((await viewOf(page)).field, 'after a refusal')
      t.true(await isInView(page.getByRole('alert')))
    },
  )
}

inBrowser('every line and every button can be reached at every size, and is not under another', async (t) => {
  const page = await opened(t, withTenLines(), { viewport: { width: 375, height: 667 } })
  await codeField(page).waitFor()

  for (const size of [
    { width: 375, height: 667 },
    { width: 375, height: 380 },
    { width: 320, height: 256 },
  ]) {
    await page.setViewportSize(size)
    await quiet(page)
    for (const part of [
      ...(await page.locator('dd').all()),
      ...(await page.locator('dialog').getByRole('button').all()),
      codeField(page),
    ]) {
      // As a reader scrolls who looks for it: to the top.
      await part.evaluate((each) => each.scrollIntoView({ block: 'start' }))
      t.true(await isInView(part), `${await part.innerHTML()} at ${size.width} by ${size.height}`)
    }
    for (let n = 0; n < 6; n++) {
      await page.keyboard.press('Tab')
      const focused = page.locator('dialog :focus')
      if ((await focused.count()) > 0)
        t.true(await isInView(focused), `${await focused.innerHTML()} has the focus at ${size.height}`)
    }
  }
})

inBrowser('a keyboard that covers the page takes its height off the dialog, and gives it back', async (t) => {
  const page = await opened(t, withTenLines(), {
    viewport: { width: 375, height: 667 },
    reducedMotion: 'reduce',
  })
  await codeField(page).waitFor()
  const cover = (height: number, offsetTop: number) =>
    page.evaluate(
      ([height, offsetTop]) => {
        const { visualViewport } = globalThis as unknown as { visualViewport: EventTarget }
        Object.defineProperties(visualViewport, {
          height: { value: height, configurable: true },
          offsetTop: { value: offsetTop, configurable: true },
        })
        visualViewport.dispatchEvent(new Event('resize'))
      },
      [height, offsetTop] as const,
    )
  const bottom = async () =>
    await page
      .locator('dialog')
      .boundingBox()
      .then((box) => box!.y + box!.height)

  t.is(await bottom(), 667)
  await cover(380, 0)
  t.is(await bottom(), 380)
  t.deepEqual(await viewOf(page), ALL_IN_VIEW)
  await cover(380, 100)
  t.is(await bottom(), 480)

  await cover(667, 0)
  t.is(await bottom(), 667)
})

inBrowser('at 400 % zoom nothing is cut off, and all can be reached', async (t) => {
  // 1280 by 1024 at 400 % (WCAG 1.4.10).
  const page = await opened(t, withTenLines(), { viewport: { width: 320, height: 256 } })
  await codeField(page).waitFor()

  t.deepEqual(await tooWide(page), [])
  t.true(await isInView(page.locator('dd').first()))
  await codeField(page).pressSequentially('0429')
  t.true(await isInView(codeField(page)))
})

inBrowser('what fills in codes finds the field, and what it writes there is given', async (t) => {
  for (const [event, bubbles] of [
    ['input', true],
    ['change', true],
    ['change', false],
  ] as const) {
    const challenge = new StubChallenge()
    const page = await opened(t, challenge)
    await codeField(page).waitFor()

    const seen = await page.evaluate(
      ([event, bubbles]) => {
        // From outside, as an extension sees it.
        const { document } = globalThis as unknown as {
          document: { querySelector(name: string): { shadowRoot: { querySelector(name: string): Element } } }
        }
        const field = document
          .querySelector('countersign-dialog')
          .shadowRoot.querySelector('input[autocomplete="one-time-code"]')
        const attributes = [
          'type',
          'name',
          'inputmode',
          'autocomplete',
          'enterkeyhint',
          'maxlength',
          'pattern',
        ]
        const found = attributes.map((name) => field.getAttribute(name))
        ;(field as unknown as Field).value = '042917'
        field.dispatchEvent(new Event(event, { bubbles }))
        return found
      },
      [event, bubbles] as const,
    )
    await ended(page)

    t.deepEqual(seen, ['text', 'one-time-code', 'numeric', 'one-time-code', 'done', null, null])
    t.deepEqual(challenge.given, ['042917'])
  }
})

inBrowser('a page can style each part', async (t) => {
  const page = await opened(t, new StubChallenge(), { bypassCSP: true })
  await codeField(page).waitFor()
  const names = [
    'dialog',
    'title',
    'introduction',
    'summary',
    'news',
    'alarm',
    'form',
    'label',
    'code',
    'validity',
  ]
  const buttons = ['confirm', 'resend', 'cancel', 'retry', 'close']
  await page.addStyleTag({
    content: [...names, ...buttons].map((name) => `::part(${name}) { scroll-margin: 7px }`).join('\n'),
  })

  for (const name of [...names, ...buttons]) {
    const margins = await page
      .locator(`countersign-dialog [part~="${name}"]`)
      .evaluateAll((found) =>
        found.map((each) => each.ownerDocument.defaultView!.getComputedStyle(each).scrollMarginTop),
      )
    t.true(margins.length > 0 && margins.every((margin) => margin === '7px'), name)
  }
})

inBrowser(
  'with forced colours borders, the main button, focus and what cannot be pressed still show',
  async (t) => {
    const page = await opened(t, new StubChallenge(), { forcedColors: 'active' })
    await codeField(page).waitFor()
    const style = (element: Locator, ...names: string[]) =>
      element.evaluate((each, names) => {
        const style = each.ownerDocument.defaultView!.getComputedStyle(each)
        return names.map((name) => style.getPropertyValue(name))
      }, names)
    const [paper] = await style(page.locator('dialog'), 'background-color')
    const [main, resend] = ['Confirm', 'Another code in'].map((name) =>
      page.getByRole('button', { name }).first(),
    )

    t.not((await style(page.locator('dialog'), 'border-top-color'))[0], paper)
    t.not((await style(main!, 'background-color'))[0], paper)
    t.notDeepEqual(
      await style(resend!, 'color'),
      await style(page.getByRole('button', { name: 'Do not' }), 'color'),
    )
    const [width, line] = await style(codeField(page), 'outline-width', 'outline-style')
    t.deepEqual([width, line], ['3px', 'solid'])
    await codeField(page).fill('111111')
    await alarm(page, 'Tries left').waitFor()
    t.deepEqual(await style(codeField(page), 'border-top-width'), ['4px'])
  },
)

for (const [reducedMotion, animation] of [
  ['reduce', 'none'],
  ['no-preference', 'rise'],
] as const) {
  inBrowser(`with motion ${reducedMotion} the dialog opens with the animation ${animation}`, async (t) => {
    const page = await opened(t, new StubChallenge(), { reducedMotion })
    await codeField(page).waitFor()

    const found = await page
      .locator('dialog')
      .evaluate((each) => each.ownerDocument.defaultView!.getComputedStyle(each).animationName)
    t.is(found, animation)
  })
}

inBrowser(
  'a screen reader has it in this order: what, where the code went, what is wrong, the field',
  async (t) => {
    const page = await opened(t)
    await codeField(page).waitFor()
    const tree = async () =>
      (await page.locator('countersign-dialog').ariaSnapshot())
        .replaceAll(/\d+:\d\d/g, '0:00')
        .replaceAll(/[\u2068\u2069]/g, '')

    t.is(
      await tree(),
      `- dialog "Read, then confirm":
  - heading "Read, then confirm" [level=2]
  - button "Close": ×
  - paragraph: Read each line. The code confirms exactly this and nothing else.
  - term: Amount
  - definition: EUR 1,250.00
  - term: To
  - definition: ACME GmbH, DE89 3704 0044 0532 0130 00
  - status: "We have sent a code to a•••@example.com. Use the newest mail: it has the mark QK."
  - alert
  - text: Code with the mark QK
  - textbox "Code with the mark QK"
  - paragraph: The code counts for another 0:00.
  - button "Confirm"
  - button "Another code in 0:00" [disabled]
  - button "Do not confirm"`,
    )
    await codeField(page).fill('111111')
    await alarm(page, 'Tries left').waitFor()
    t.regex(await tree(), /- alert: "?This is not the code that counts. Tries left: 4"?\n {2}- text: Code/)
    const described = await page.locator('dialog').evaluate((each) => {
      const root = each.getRootNode() as unknown as { getElementById(id: string): { textContent: string } }
      return each
        .getAttribute('aria-describedby')!
        .split(' ')
        .map((id: string) => root.getElementById(id).textContent)
    })
    t.is(described[0], '')
    t.is(described[1], WORDINGS.en.introduction)
    t.true(described[2]!.startsWith('AmountEUR 1,250.00'))
  },
)

inBrowser(
  'from right to left at phone width the way out is on the left, and the code runs as digits do',
  async (t) => {
    const page = await opened(t, withTenLines(), { language: 'ar', viewport: PHONE })
    await codeField(page).waitFor()
    const box = async (element: Locator) => (await element.boundingBox())!
    const [heading, leave] = await Promise.all([
      box(page.getByRole('heading', { name: WORDINGS.ar.title })),
      box(page.getByRole('button', { name: WORDINGS.ar.close })),
    ])

    t.true(leave.x + leave.width <= heading.x)
    t.true(leave.x >= 0 && heading.x + heading.width <= PHONE.width)
    t.deepEqual(await tooWide(page), [])
    await codeField(page).pressSequentially('٠٤٢')
    t.is(
      await codeField(page).evaluate(
        (each) => each.ownerDocument.defaultView!.getComputedStyle(each).direction,
      ),
      'ltr',
    )
    await codeField(page).pressSequentially('٩١٧')
    await ended(page)
    t.deepEqual(await outcomes(page), [{ challengeId: 'c1', outcome: 'verified' }])
  },
)

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

const LOGO = 'https://b.example/logo.svg'
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="216" height="48"><rect width="216" height="48" fill="#fff"/></svg>`
const BANK_B = { name: 'Bank B', color: '#7a1f2b', textColor: '#ffffff', logoUrl: null as string | null }

function branded(brand: Partial<typeof BANK_B> = {}, challenge = new StubChallenge()): StubChallenge {
  challenge.brand = { ...BANK_B, ...brand }
  return challenge
}

const brandBar = (page: Page) => page.locator('#brand')
const style = (element: Locator, property: string) =>
  element.evaluate(
    (each, name) => each.ownerDocument.defaultView!.getComputedStyle(each).getPropertyValue(name),
    property,
  )

inBrowser('without a brand there is no bar above the dialog', async (t) => {
  const page = await opened(t)
  await codeField(page).waitFor()

  t.true(await brandBar(page).isHidden())
})

inBrowser(
  'the brand of the client is named above, on its colour, and read before the operation',
  async (t) => {
    const page = await opened(t, branded())
    await codeField(page).waitFor()

    t.is(await brandBar(page).innerText(), 'Bank B')
    t.is(await style(brandBar(page), 'background-color'), 'rgb(122, 31, 43)')
    t.is(await style(brandBar(page), 'color'), 'rgb(255, 255, 255)')
    t.is(await page.locator('dialog').getAttribute('aria-describedby'), 'brand introduction summary')
    t.deepEqual(await tooWide(page), [])
  },
)

inBrowser(
  'a logo replaces the name once it has loaded, and tells its host nothing of the page',
  async (t) => {
    const challenge = branded({ logoUrl: LOGO })
    const page = await opened(t, challenge, { bypassCSP: true })
    await codeField(page).waitFor()
    t.is(await brandBar(page).innerText(), 'Bank B')

    const referrers: (string | undefined)[] = []
    await page.context().route(LOGO, (route) => {
      referrers.push(route.request().headers().referer)
      return route.fulfill({ contentType: 'image/svg+xml', body: PICTURE })
    })
    await page.reload()
    await page.getByRole('button', { name: 'Pay' }).click()
    const logo = page.getByRole('img', { name: 'Bank B' })
    await logo.waitFor()

    t.is(await brandBar(page).innerText(), '')
    t.is(Math.round((await logo.boundingBox())!.height), (await letterSize(page)) * 2)
    t.deepEqual(referrers, [undefined])
  },
)

inBrowser('a page whose policy lets no picture load shows the name', async (t) => {
  const page = await opened(t, branded({ logoUrl: LOGO }))
  await codeField(page).waitFor()
  await until(
    async () => problems.splice(0),
    (all) => all.some((problem) => problem.includes('Content Security Policy')),
  )

  t.is(await brandBar(page).innerText(), 'Bank B')
})

inBrowser('what is no colour and no https URL is not used, and a name is text', async (t) => {
  const page = await opened(
    t,
    branded({
      name: '<img src=x onerror=alert(1)>',
      color: 'url(https://evil.example/x)',
      textColor: 'red; background: blue',
      logoUrl: 'javascript:alert(1)',
    }),
  )
  await codeField(page).waitFor()

  t.is(await brandBar(page).innerText(), '<img src=x onerror=alert(1)>')
  t.is(await style(brandBar(page), 'background-color'), 'rgba(0, 0, 0, 0)')
  t.is(await brandBar(page).locator('img').getAttribute('src'), null)
})

inBrowser('the dialog opened again for another client shows the brand of that one', async (t) => {
  const challenge = branded()
  const page = await opened(t, challenge)
  await codeField(page).waitFor()
  await page.keyboard.press('Escape')
  await ended(page)

  challenge.brand = undefined
  await page.getByRole('button', { name: 'Pay' }).click()
  await codeField(page).waitFor()
  t.true(await brandBar(page).isHidden())
})

for (const [what, size, reader] of [
  ['a desk', { width: 900, height: 900 }, undefined],
  ['a low window', { width: 900, height: 420 }, undefined],
  ['a phone', PHONE, undefined],
  ['a phone with its keyboard', { width: 375, height: 380 }, undefined],
  ['a phone with wide and large letters', PHONE, WIDE_AND_LARGE],
] as const) {
  inBrowser(`with a brand, amount and payee stay in view beside the field: ${what}`, async (t) => {
    const challenge = branded({ name: 'Bank with a rather long name, of several words' }, withTenLines())
    const page = await opened(t, challenge, {
      viewport: size,
      reducedMotion: 'reduce',
      ...(reader && { reader }),
    })
    await codeField(page).waitFor()

    t.deepEqual(await tooWide(page), [])
    if (!reader) t.deepEqual(await viewOf(page), ALL_IN_VIEW)
    t.false(await overlaps(page.locator('.head'), brandBar(page)))
  })
}

async function overlaps(one: Locator, other: Locator): Promise<boolean> {
  const [a, b] = await Promise.all([one.boundingBox(), other.boundingBox()])
  return a !== null && b !== null && a.y < b.y + b.height && b.y < a.y + a.height
}

for (const [name, color, textColor] of [
  ['dark', '#7a1f2b', '#ffffff'],
  ['light', '#f2b705', '#000000'],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const language of ['en', 'ar'] as const) {
      inBrowser(
        `with a brand of a ${name} colour axe finds nothing (${language}, ${colorScheme})`,
        async (t) => {
          for (const logoUrl of [null, LOGO]) {
            const challenge = branded({ color, textColor, logoUrl })
            const page = await opened(t, challenge, {
              ...{ language, colorScheme, viewport: PHONE },
              ...{ reducedMotion: 'reduce', bypassCSP: true },
            })
            await codeField(page).waitFor()

            t.deepEqual(await findings(page), [])
            t.deepEqual(await tooWide(page), [])
          }
        },
      )
    }
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
