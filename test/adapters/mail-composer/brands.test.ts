import test from 'ava'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { HtmlSecurityMailComposer } from '../../../src/adapters/mail-composer/html-security-mail-composer.ts'
import type { Brand } from '../../../src/domain/brand.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'

const BANK_B: Brand = {
  name: 'Bank B & Söhne',
  color: '#f2b705',
  logoUrl: 'https://b.example/logo.png',
  languages: ['fr', 'de'],
  appHost: 'app.b.example',
  sender: { from: 'Bank B <no-reply@b.example>', replyTo: 'help@b.example' },
}
const SETTINGS = {
  brand: { name: 'Bank A', color: '#0f4c5c', logoUrl: undefined },
  brands: new Map<string, Brand>([
    ['payments-b', BANK_B],
    ['payments-c', { name: 'Bank C', color: '#0f4c5c', logoUrl: undefined }],
  ]),
  timeZone: 'UTC',
}
const otp = new HtmlOtpMailComposer({ ...SETTINGS, appHost: 'app.bank.example' })
const lock = new HtmlLockMailComposer(SETTINGS)
const security = new HtmlSecurityMailComposer(SETTINGS)

interface Reader {
  readonly clientId?: string | undefined
  readonly locale?: string
}

/** Every kind of mail, to a reader, about an operation of a client. */
const MAILS = {
  'with a code': (reader: Reader) =>
    otp.compose({
      ...{ code: '042917', reference: 'QK', summary: TRANSFER.summary },
      ...{ issuedAt: NOON, expiresAt: afterNoon(300), ...reader },
    }),
  'about a lock': (reader: Reader) => lock.compose({ lockedUntil: afterNoon(900), ...reader }),
  'about a changed address': (reader: Reader) =>
    security.compose({ kind: 'address-changed', happenedAt: NOON, ...reader }),
  'about another operation': (reader: Reader) =>
    security.compose({ kind: 'operation-mismatch', happenedAt: NOON, ...reader }),
}

type Element = DefaultTreeAdapterTypes.Element

function elements(html: string): Element[] {
  const below = (parent: DefaultTreeAdapterTypes.ParentNode): Element[] =>
    parent.childNodes
      .filter((node) => defaultTreeAdapter.isElementNode(node))
      .flatMap((node) => [node, ...below(node)])
  return below(parse(html))
}

const imagesIn = (html: string) =>
  elements(html)
    .filter(({ tagName }) => tagName === 'img')
    .map(({ attrs }) => attrs.find(({ name }) => name === 'src')?.value)
const languageOf = (html: string) => elements(html)[0]!.attrs.find(({ name }) => name === 'lang')?.value

for (const [what, compose] of Object.entries(MAILS)) {
  test(`a mail ${what} has the name, the colour, the logo and the sender of its client, and nothing of another`, (t) => {
    const { text, html, sender } = compose({ clientId: 'payments-b', locale: 'fr' })

    t.true(text.startsWith('Bank B & Söhne\n\n'))
    t.true(html.includes('background-color:#f2b705'))
    t.regex(html, /color:#000[;"]/)
    t.deepEqual(imagesIn(html), ['https://b.example/logo.png'])
    t.deepEqual(sender, BANK_B.sender)
    t.notRegex(`${text} ${html}`, /Bank A|Bank C|#0f4c5c|bank\.example/)
  })

  test(`a mail ${what} of a client without a brand, or of no client, is that of the installation`, (t) => {
    const plain = compose({})

    t.true(plain.text.startsWith('Bank A\n\n'))
    t.is(plain.sender, undefined)
    t.deepEqual(compose({ clientId: 'payments-d' }), plain)
    t.deepEqual(compose({ clientId: '__proto__' }), plain)
    t.deepEqual(imagesIn(plain.html), [])
  })

  test(`a mail ${what} is in a language of its client: the reader’s, or else the first`, (t) => {
    const languages = ['de-AT', 'fr', 'en', 'ar', undefined].map((locale) =>
      languageOf(compose({ clientId: 'payments-b', ...(locale && { locale }) }).html),
    )

    t.deepEqual(languages, ['de', 'fr', 'fr', 'fr', 'fr'])
    t.is(languageOf(compose({ clientId: 'payments-c', locale: 'ar' }).html), 'ar')
  })
}

test('the times in a mail are written as the region of the reader writes them, in the language of the client', (t) => {
  const { text } = MAILS['about a lock']({ clientId: 'payments-b', locale: 'nl-BE' })

  t.true(text.includes('1 janvier 2030'), text)
})

test('a code is bound to the app of its client', (t) => {
  const lastLine = (clientId?: string) => MAILS['with a code']({ clientId }).text.split('\n').at(-1)

  t.is(lastLine('payments-b'), '@app.b.example #042917')
  t.is(lastLine(), '@app.bank.example #042917')
  t.not(lastLine('payments-c'), '@app.bank.example #042917')
})
