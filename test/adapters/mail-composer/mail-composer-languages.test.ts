import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { LANGUAGES as DIALOG_LANGUAGES } from '../../../packages/kit/src/browser/dialog-languages.ts'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import en from '../../../src/adapters/mail-composer/languages/en.json' with { type: 'json' }
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'

const FOLDER = new URL('../../../src/adapters/mail-composer/languages/', import.meta.url)
const LANGUAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
  readdirSync(FOLDER).map((file) => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')),
  ]),
)

const composerIn = (timeZone: string) =>
  new HtmlOtpMailComposer({
    brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined },
    timeZone,
    appHost: undefined,
  })
const composer = composerIn('UTC')

const compose = (locale: string | undefined, seconds = 300, by = composer) =>
  by.compose({
    code: '042917',
    reference: 'QK',
    summary: TRANSFER.summary,
    issuedAt: NOON,
    expiresAt: afterNoon(seconds),
    displayName: 'Alice Smith',
    locale,
  })

/** The line about the end of the code, in one piece. */
const validity = (locale: string | undefined, seconds?: number, by?: HtmlOtpMailComposer) =>
  compose(locale, seconds, by).text.split('\n\n')[7]!.replaceAll('\n', ' ')

/** A word of Greek or Cyrillic that fills most of a line, as HTML writes it. No line can be broken inside of it. */
const LONG_WORD = /(?:&#\d+;){9}/
const PLURAL = /_(zero|one|two|few|many|other)$/
const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted()

test('every file of words is a language of the mails, and the dialog speaks the same languages', (t) => {
  const languages = createWordings().map(({ language }) => language)

  t.deepEqual(languages.toSorted(), Object.keys(LANGUAGES).toSorted())
  t.deepEqual(DIALOG_LANGUAGES.toSorted(), languages.toSorted())
})

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`${language} has every key and no other, in all plural forms of the language`, (t) => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    const keys = Object.keys(en)
      .filter((key) => !PLURAL.test(key))
      .concat(
        ...['validForMinutes', 'validForSeconds'].map((key) =>
          categories.map((category) => `${key}_${category}`),
        ),
      )

    t.deepEqual(Object.keys(words).toSorted(), keys.toSorted())
  })

  test(`${language} has the same placeholders as English, but for a number that its own word says`, (t) => {
    for (const [key, text] of Object.entries(words)) {
      const expected = placeholders(en[key.replace(PLURAL, '_other') as keyof typeof en])
      const said = placeholders(text)

      if (/_(one|two)$/.test(key))
        said.push(...expected.filter((each) => each === '{{count}}' && !said.includes(each)))
      t.deepEqual(said.toSorted(), expected, `${language} ${key}`)
    }
  })

  test(`${language} has words of its own, without markup, nesting or a line break`, (t) => {
    for (const [key, text] of Object.entries(words)) {
      t.notRegex(text, /[<>&\n\r]|\$t\(|https?:|^\s|\s$/)
      if (language !== 'en') t.not(text, (en as Record<string, string>)[key])
    }
  })

  test(`in ${language}, the subject holds the mark, and no code, name or operation`, (t) => {
    const { subject } = compose(language)

    t.regex(subject, ['ar', 'el', 'uk'].includes(language) ? /\(ref QK\)$/ : /\(QK\)$/)
    t.notRegex(subject, /\d|Alice|ACME|[\r\n\u2066-\u2069]/)
    t.true(subject.length <= 60)
  })

  test(`in ${language}, the code and its end are written with the digits of the operation, and the end with its zone`, (t) => {
    const { text } = compose(language)

    t.true(text.includes('\n        042917\n'))
    t.regex(validity(language), / 5 .*\b(?:1\b.* 2030|2030\..* 1)\D(?:.* )?12[:.]05[:.]00.* UTC\.$/)
    t.notRegex(text, /[\p{Nd}--[0-9]]/v)
  })
}

for (const [locale, language, direction] of [
  [undefined, 'en', 'ltr'],
  ['en-US', 'en', 'ltr'],
  ['de-AT', 'de', 'ltr'],
  ['DE-at', 'de', 'ltr'],
  ['pt-BR', 'pt', 'ltr'],
  ['fr-Latn-CA', 'fr', 'ltr'],
  ['nl-BE', 'nl', 'ltr'],
  ['es-419', 'es', 'ltr'],
  ['ar-EG', 'ar', 'rtl'],
  ['it-CH', 'it', 'ltr'],
  ['pl-PL', 'pl', 'ltr'],
  ['cs', 'cs', 'ltr'],
  ['sv-FI', 'sv', 'ltr'],
  ['da-GL', 'da', 'ltr'],
  ['fi', 'fi', 'ltr'],
  ['el-CY', 'el', 'ltr'],
  ['hu-RO', 'hu', 'ltr'],
  ['ro-MD', 'ro', 'ltr'],
  ['mo', 'ro', 'ltr'],
  ['uk-UA', 'uk', 'ltr'],
  ['ru', 'en', 'ltr'],
  ['fa', 'en', 'ltr'],
  ['he-IL', 'en', 'ltr'],
  ['gsw-CH', 'en', 'ltr'],
  ['constructor', 'en', 'ltr'],
  ['x', 'en', 'ltr'],
  ['', 'en', 'ltr'],
  ['de_DE', 'en', 'ltr'],
] as const) {
  test(`a reader of ${locale ?? 'no known language'} gets ${language}, ${direction}`, (t) => {
    const { html, subject } = compose(locale)

    t.regex(html, new RegExp(`<html\\s+lang="${language}"\\s+dir="${direction}"`))
    t.is(subject.replace('ref ', ''), LANGUAGES[language]!.subject!.replace('{{reference}}', 'QK'))
    t.is(html.includes('text-align:right'), direction === 'rtl')
    t.is(/text-align:left;\s*color/.test(html), direction === 'ltr')
  })
}

for (const locale of Object.keys(LANGUAGES)) {
  test(`the HTML of a mail in ${locale} is ASCII in short lines, unless a word of it is long`, (t) => {
    const { html } = compose(locale)

    t.notRegex(html, /[^\n\x20-\x7e]/)
    t.deepEqual(
      html.split('\n').filter((line) => line.length > 76 && !LONG_WORD.test(line)),
      [],
    )
  })
}

for (const [locale, end] of [
  [undefined, '1 January 2030 at 12:05:00 UTC'],
  ['en', '1 January 2030 at 12:05:00 UTC'],
  ['en-US', 'January 1, 2030 at 12:05:00 PM UTC'],
  ['de', '1. Januar 2030 um 12:05:00 UTC'],
  ['de-AT', '1. Jänner 2030 um 12:05:00 UTC'],
  ['fr', '1 janvier 2030 à 12:05:00 UTC'],
  ['es', '1 de enero de 2030 a las 12:05:00 UTC'],
  ['nl', '1 januari 2030 om 12:05:00 UTC'],
  ['pt-BR', '1 de janeiro de 2030 às 12:05:00 UTC'],
  ['ar', '1 يناير 2030 في 12:05:00 م UTC'],
  ['ar-SA', '1 يناير 2030 في 12:05:00 م UTC'],
  ['ar-EG', '1 يناير 2030 في 12:05:00 م UTC'],
  ['it', '1 gennaio 2030 alle ore 12:05:00 UTC'],
  ['pl', '1 stycznia 2030 12:05:00 UTC'],
  ['cs', '1. ledna 2030 v 12:05:00 UTC'],
  ['sv', '1 januari 2030 kl. 12:05:00 UTC'],
  ['da', '1. januar 2030 kl. 12.05.00 UTC'],
  ['fi', '1. tammikuuta 2030 klo 12.05.00 UTC'],
  ['el', '1 Ιανουαρίου 2030 στις 12:05:00 μ.μ. UTC'],
  ['hu', '2030. január 1. 12:05:00 UTC'],
  ['ro', '1 ianuarie 2030 la 12:05:00 UTC'],
  ['uk', '1 січня 2030 р. о 12:05:00 UTC'],
  ['de-u-ca-buddhist-nu-arab', '1. Januar 2030 um 12:05:00 UTC'],
  ['th-TH', '1 January 2030 at 12:05:00 UTC'],
] as const) {
  test(`a reader of ${locale ?? 'no known language'} reads ${end}`, (t) => {
    t.true(validity(locale).includes(end), validity(locale))
  })
}

test('times are in the configured zone, which is named', (t) => {
  const inBerlin = composerIn('Europe/Berlin')

  t.true(validity('de', 300, inBerlin).endsWith(' 13:05:00 MEZ.'))
  t.true(validity('fr', 300, inBerlin).endsWith(' 13:05:00 UTC+1.'))
})

test('Arabic has a form for each of its six kinds of numbers', (t) => {
  const lifetimes = [0, 1, 2, 3, 11, 100].map((seconds) => validity('ar', seconds).split('،')[0])

  t.deepEqual(lifetimes, [
    'صالح لمدة 0 ثانية',
    'صالح لمدة ثانية واحدة',
    'صالح لمدة ثانيتين',
    'صالح لمدة 3 ثوانٍ',
    'صالح لمدة 11 ثانية',
    'صالح لمدة 100 ثانية',
  ])
})

for (const [language, forms] of [
  ['pl', ['1 minutę', '2 minuty', '4 minuty', '5 minut', '12 minut', '22 minuty', '25 minut']],
  ['cs', ['1 minutu', '2 minuty', '4 minuty', '5 minut', '12 minut', '22 minut', '25 minut']],
  ['uk', ['1 хвилини', '2 хвилин', '4 хвилин', '5 хвилин', '21 хвилини', '22 хвилин', '25 хвилин']],
  ['ro', ['1 minut', '2 minute', '19 minute', '20 de minute', '100 de minute', '101 minute']],
  ['fi', ['1 minuutin', '2 minuuttia']],
  ['it', ['1 minuto', '2 minuti']],
] as const) {
  test(`in ${language}, the word after a number has the form that the number asks for`, (t) => {
    const wording = createWordings().find((each) => each.language === language)!

    for (const form of forms) {
      const minutes = Number.parseInt(form, 10)
      const said =
        minutes === 1 ? LANGUAGES[language]!.validForMinutes_one! : wording.validity(minutes * 60, '–')
      t.regex(said.replace('{{count}}', '1'), new RegExp(` ${form}[.,]`), form)
    }
  })
}

test('a reader is served as before after readers of more countries than are remembered', (t) => {
  const before = compose('de-AT')
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  for (const first of letters) for (const second of letters) compose(`en-${first}${second}`)

  t.deepEqual(compose('de-AT'), before)
})

test('i18next neither nests nor fills in again what a name brings along', (t) => {
  for (const wording of createWordings()) {
    for (const name of ['$t(warning)', '{{reference}}', '{{- name}}', '$t(title, {"name": "x"})', '$&']) {
      t.is(
        wording.greeting(name),
        LANGUAGES[wording.language]!.greetingByName!.replace('{{name}}', () => name),
      )
    }
  }
})
