import { randomUUID } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { HtmlSecurityMailComposer } from '../../../src/adapters/mail-composer/html-security-mail-composer.ts'
import { subjectMark } from '../../../src/adapters/mail-composer/subject-mark.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import { mailContent } from '../../../src/adapters/mail-smtp/mail-content.ts'
import { smtpSender } from '../../../src/adapters/mail-smtp/smtp-sender.ts'
import type { ComposedMail } from '../../../src/application/ports/mail-transport.ts'
import type { Brand } from '../../../src/domain/brand.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { hasRspamd, hasSpamAssassin, spamAssassinScores, startRspamd } from '../../support/spam-filters.ts'

/** Points from which a rule of a filter counts as a fault of the mail. */
const MOST = 0.1

/** "Your confirmation code" in scripts without capitals, and in scripts with capitals that are not Latin. */
const SCRIPTS = {
  Arabic: 'رمز التأكيد الخاص بك',
  Persian: 'کد تأیید شما',
  Hebrew: 'קוד האימות שלך',
  Chinese: '您的验证码',
  'Chinese, traditional': '您的驗證碼',
  Japanese: '確認コードのお知らせ',
  Korean: '고객님의 인증 코드',
  Hindi: 'आपका पुष्टिकरण कोड',
  Bengali: 'আপনার নিশ্চিতকরণ কোড',
  Tamil: 'உங்கள் உறுதிப்படுத்தல் குறியீடு',
  Thai: 'รหัสยืนยันของคุณ',
  Amharic: 'የማረጋገጫ ኮድዎ',
  Georgian: 'თქვენი დადასტურების კოდი',
  Armenian: 'Ձեր հաստատման կոդը',
  Greek: 'Ο κωδικός επιβεβαίωσής σας',
  Russian: 'Ваш код подтверждения',
  Turkish: 'Onay kodunuz',
}
const BRANDS = ['Example Bank', 'ACME', 'БАНК', '银行', 'בנק']

/** "Amount" and "To" in each language: a filter that guesses the language of a mail reads these words too. */
const LABELS: Readonly<Record<string, readonly [string, string]>> = {
  en: ['Amount', 'To'],
  de: ['Betrag', 'Empfänger'],
  fr: ['Montant', 'Bénéficiaire'],
  es: ['Importe', 'Beneficiario'],
  nl: ['Bedrag', 'Begunstigde'],
  pt: ['Montante', 'Beneficiário'],
  ar: ['المبلغ', 'المستفيد'],
  it: ['Importo', 'Beneficiario'],
  pl: ['Kwota', 'Odbiorca'],
  cs: ['Částka', 'Příjemce'],
  sv: ['Belopp', 'Mottagare'],
  da: ['Beløb', 'Modtager'],
  fi: ['Summa', 'Saaja'],
  el: ['Ποσό', 'Δικαιούχος'],
  hu: ['Összeg', 'Kedvezményezett'],
  ro: ['Sumă', 'Beneficiar'],
  uk: ['Сума', 'Отримувач'],
}

function summaryIn(language: string) {
  const [amount, to] = LABELS[language]!
  return [
    { label: amount, value: 'EUR 1,250.00' },
    { label: to, value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
  ]
}

const subjectIn = (words: string, mark = 'QK') => `${words} (${subjectMark(words, mark)})`

/** A client's brand beside that of the installation. */
const OF_A_CLIENT: Brand = {
  name: 'Fjord & Søn',
  color: '#f2b705',
  logoUrl: undefined,
  languages: ['en', 'de', 'ar', 'el'],
  appHost: 'app.fjord.example',
  sender: { from: '"Fjord & Son" <no-reply@fjord.example>', replyTo: 'help@fjord.example' },
}

const settingsOf = (name: string) => ({
  brand: { name, color: '#0f4c5c', logoUrl: undefined },
  brands: new Map([['fjord', OF_A_CLIENT]]),
  timeZone: 'UTC',
  appHost: 'app.bank.example',
})

type Written = ComposedMail

function lettersOf(brand: string, locales: readonly string[], clientId?: string): Record<string, Written> {
  const otp = new HtmlOtpMailComposer(settingsOf(brand))
  const lock = new HtmlLockMailComposer(settingsOf(brand))
  const security = new HtmlSecurityMailComposer(settingsOf(brand))
  const notice = {
    ...{ clientId, code: '042917', reference: 'QK' },
    ...{ issuedAt: NOON, expiresAt: afterNoon(300), displayName: 'Alice Smith' },
  }
  return Object.fromEntries(
    locales.flatMap((locale) => [
      [`${locale}, code, ${brand}`, otp.compose({ ...notice, locale, summary: summaryIn(locale) })],
      [`${locale}, lock, ${brand}`, lock.compose({ clientId, lockedUntil: NOON, locale })],
      ...(['address-changed', 'operation-mismatch'] as const).map((kind) => [
        `${locale}, ${kind}, ${brand}`,
        security.compose({ clientId, kind, happenedAt: NOON, locale }),
      ]),
    ]),
  )
}

const LANGUAGES = createWordings().map(({ language }) => language)
const [ENGLISH] = Object.values(lettersOf('Example Bank', ['en']))

/** Every mail that the service writes, one of each brand, and a mail with a subject in each script. */
const LETTERS: Record<string, { readonly brand: string; readonly letter: Written }> = Object.fromEntries([
  ...BRANDS.flatMap((brand, index) =>
    Object.entries(lettersOf(brand, index === 0 ? LANGUAGES : ['en', 'ar'])).map(([name, letter]) => [
      name,
      { brand, letter },
    ]),
  ),
  ...Object.entries(lettersOf(OF_A_CLIENT.name, OF_A_CLIENT.languages!, 'fjord')).map(([name, letter]) => [
    name,
    { brand: OF_A_CLIENT.name, letter },
  ]),
  ...Object.entries(SCRIPTS).map(([script, words]) => [
    script,
    { brand: 'Example Bank', letter: { ...ENGLISH!, subject: subjectIn(words) } },
  ]),
])

function mailOf({ brand, letter }: { readonly brand: string; readonly letter: Written }): Buffer {
  const id = randomUUID()
  const sender = smtpSender(letter.sender?.from ?? `"${brand}" <no-reply@bank.example>`)
  const replyTo = letter.sender?.replyTo
  const write = mailContent(sender, replyTo === undefined ? undefined : smtpSender(replyTo))
  return write({ id, to: ALICE, ...letter }, `<${id}@${sender.domain}>`, new Date())
}

/** What SpamAssassin looks at: A to Z only. rspamd looks at letters of every script. */
const isShouting = (subject: string) => /[A-Z]/.test(subject) && !/[a-z]/.test(subject)

test('no subject of ours is capitals only, in whatever script and whatever the mark', (t) => {
  for (const { letter } of Object.values(LETTERS)) t.false(isShouting(letter.subject), letter.subject)
  const capital = fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZ')
  const property = fc.property(fc.string({ unit: 'grapheme' }), capital, capital, (words, first, second) => {
    t.false(isShouting(subjectIn(words, first + second)))
  })

  t.notThrows(() => fc.assert(property))
})

test('the mark in a subject is the one of the dialog, letter for letter', (t) => {
  for (const words of [...Object.values(SCRIPTS), 'Your confirmation code']) {
    t.regex(subjectIn(words, 'XB'), /\((?:ref )?XB\)$/)
  }
  t.is(subjectIn('Your confirmation code'), 'Your confirmation code (QK)')
  t.is(subjectIn(SCRIPTS.Japanese), '確認コードのお知らせ (ref QK)')
})

/** The same mail as the service wrote it before, with a subject that counts as shouting. */
const SHOUTING = { brand: 'Example Bank', letter: { ...ENGLISH!, subject: `${SCRIPTS.Arabic} (QK)` } }

;(hasSpamAssassin ? test : test.skip)(
  `SpamAssassin has nothing against any mail${hasSpamAssassin ? '' : ' (it is not installed)'}`,
  async (t) => {
    t.timeout(120_000)
    const [shouting, ...scores] = await spamAssassinScores([SHOUTING, ...Object.values(LETTERS)].map(mailOf))

    t.true(shouting!.rules.includes('SUBJ_ALL_CAPS'), String(shouting!.rules))
    for (const [index, { total, rules }] of scores.entries()) {
      t.true(total <= MOST, `${Object.keys(LETTERS)[index]}: ${total}, ${rules}`)
    }
  },
)

;(hasRspamd ? test : test.skip)(
  `rspamd has nothing against any mail${hasRspamd ? '' : ' (it is not installed)'}`,
  async (t) => {
    t.timeout(240_000)
    const rspamd = await startRspamd()
    t.teardown(rspamd.stop)

    t.regex((await rspamd.score(mailOf(SHOUTING))).rules.join(), /SUBJ_ALL_CAPS/)
    for (const [name, letter] of Object.entries(LETTERS)) {
      const { total, rules } = await rspamd.score(mailOf(letter))
      t.notRegex(rules.join(), /SUBJ/, name)
      // A subject in one script above a mail in another has a rule of its own.
      if (!(name in SCRIPTS)) t.true(total <= MOST, `${name}: ${total}, ${rules}`)
    }

    // What docs/mail.md says of brands: rspamd takes mails from 4 points on for suspicious.
    const rulesOf = async (brand: string, letter: Written) =>
      (await rspamd.score(mailOf({ brand, letter }))).rules
        .map((rule) => rule.split(' ') as [string, string])
        .filter(([, score]) => Number(score) > 0)
        .map(([name, score]) => `${name} ${Math.round(Number(score))}`)
    const withLogo = new HtmlLockMailComposer({
      brand: { ...OF_A_CLIENT, sender: undefined, logoUrl: 'https://fjord.example/logo.png' },
      timeZone: 'UTC',
    })
    t.deepEqual(await rulesOf('Fjord', withLogo.compose({ lockedUntil: NOON })), ['URI_COUNT_ODD 1'])
    t.deepEqual(await rulesOf('Fjord & Søn', ENGLISH!), ['R_MIXED_CHARSET 1'])
  },
)
