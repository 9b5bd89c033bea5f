import test from 'ava'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import { HtmlLockMailComposer } from '../../../src/adapters/mail-composer/html-lock-mail-composer.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import { afterNoon } from '../../domain/examples.ts'

const LANGUAGES = createWordings().map(({ language }) => language)

const composerOf = (brand: { name?: string; logoUrl?: string } = {}, timeZone = 'UTC') =>
  new HtmlLockMailComposer({
    brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined, ...brand },
    timeZone,
  })
const composer = composerOf()

const compose = (locale?: string, displayName: string | undefined = 'Alice Smith', by = composer) =>
  by.compose({ lockedUntil: afterNoon(900), locale, displayName })

type Element = DefaultTreeAdapterTypes.Element

const elements = (html: string): Element[] => {
  const below = (parent: DefaultTreeAdapterTypes.ParentNode): Element[] =>
    parent.childNodes
      .filter((node) => defaultTreeAdapter.isElementNode(node))
      .flatMap((node) => [node, ...below(node)])
  return below(parse(html))
}
const textOf = (element: Element): string =>
  element.childNodes
    .map((node) => {
      if (defaultTreeAdapter.isTextNode(node)) return node.value
      return defaultTreeAdapter.isElementNode(node) ? textOf(node) : ''
    })
    .join('')
const words = (text: string) => text.split(/[\s\u2068\u2069]+/).filter(Boolean)

test('the text says what happened, that nothing was confirmed, until when, and what to do in either case', (t) => {
  t.is(
    compose().text,
    `Countersign

Too many wrong codes

Hello Alice Smith,

Several wrong confirmation codes were entered in your
name, one after the other. None of them confirmed
anything. For your protection, no code can be asked for
or entered for a while.

Locked until

        1 January 2030 at 12:15:00 UTC

Was that you?
Then there is nothing to do. The lock ends by itself,
and you can try again.

Was that not you?
Then somebody is signed in as you and may know your
password: change it, and contact us the way you always
do.

We never ask for a code by phone, chat or mail. There
are no links in this mail, and it needs no answer.`,
  )
})

for (const language of LANGUAGES) {
  test(`in ${language}, the HTML says the same as the text, and its title names the sender`, (t) => {
    const { html, text } = compose(language)
    const [body, title] = ['body', 'title'].map((name) =>
      textOf(elements(html).find(({ tagName }) => tagName === name)!),
    )

    t.deepEqual(words(body!), words(text))
    t.is(title, 'Countersign')
  })

  test(`in ${language}, the subject is the same for everybody, and short`, (t) => {
    const { subject } = compose(language)

    t.is(subject, compose(language, 'Bob').subject)
    t.notRegex(subject, /\d|Alice|[\r\n\u2066-\u2069]/)
    t.true(subject.length <= 60)
  })

  test(`in ${language}, there is no code in the mail: no number but those of the end of the lock`, (t) => {
    const { text, html } = compose(language)
    const shown = elements(html).find(({ tagName }) => tagName === 'body')!

    for (const said of [text, textOf(shown)]) {
      t.regex(said, /\b12[:.]15[:.]00\b/)
      t.deepEqual(said.match(/\d{5,}/g), null)
    }
    t.notRegex(text, /[\p{Nd}--[0-9]]/v)
  })

  test(`in ${language}, the HTML is ASCII in short lines, unless a word of it is long`, (t) => {
    const { html } = compose(language)

    t.notRegex(html, /[^\n\x20-\x7e]/)
    t.deepEqual(
      html.split('\n').filter((line) => line.length > 76 && !/(?:&#\d+;){9}/.test(line)),
      [],
    )
  })
}

for (const [locale, timeZone, end] of [
  [undefined, 'UTC', '1 January 2030 at 12:15:00 UTC'],
  ['en-US', 'UTC', 'January 1, 2030 at 12:15:00 PM UTC'],
  ['de-AT', 'Europe/Vienna', '1. Jänner 2030 um 13:15:00 MEZ'],
  ['ar', 'UTC', '1 يناير 2030 في 12:15:00 م UTC'],
] as const) {
  test(`a reader of ${locale ?? 'no known language'} in ${timeZone} reads that the lock lasts until ${end}`, (t) => {
    t.true(compose(locale, undefined, composerOf({}, timeZone)).text.includes(`\n        ${end}\n`))
  })
}

/** What may load, link, run, send or embed, by element and by attribute. */
const ACTIVE = /^(a|area|audio|base|button|embed|form|iframe|img|input|link|object|script|source|svg|video)$/
const ADDRESS = /^(on.*|href|src|srcset|action|background)$/

test('the HTML links to nothing, loads nothing and hides nothing', (t) => {
  const { html } = compose()

  t.deepEqual(
    elements(html).filter(
      ({ tagName, attrs }) => ACTIVE.test(tagName) || attrs.some(({ name }) => ADDRESS.test(name)),
    ),
    [],
  )
  t.notRegex(html, /url\(|@import|@font-face|expression\(/i)
  t.notRegex(html, /display:\s*none|visibility|opacity|\bhidden\b(?!;)|max-height|text-indent/i)
})

test('the brand is that of the other mails: its colour, and its logo in the place of its name', (t) => {
  const { html, text } = compose('en', 'Alice', composerOf({ name: 'Fjord & Bank' }))
  const withLogo = compose('en', 'Alice', composerOf({ logoUrl: 'https://bank.example/logo.png' }))

  t.true(html.includes('background-color:#0f4c5c'))
  t.true(elements(html).some((element) => textOf(element) === 'Fjord & Bank'))
  t.true(text.startsWith('Fjord & Bank\n\n'))
  t.is(elements(withLogo.html).filter(({ tagName }) => tagName === 'img').length, 1)
})

for (const name of ['evil.example', 'Call 555 0100', '<b>', '{{until}}', 'a\u202Eb', '']) {
  test(`${JSON.stringify(name)} is no name to greet by`, (t) => {
    const nameless = composer.compose({ lockedUntil: afterNoon(900) })

    t.deepEqual(compose(undefined, name), nameless)
    t.true(nameless.text.includes('\nHello,\n'))
  })
}

test('in Arabic it reads from right to left, a Latin name isolated', (t) => {
  const { html, text } = compose('ar')

  t.regex(html, /<html\s+lang="ar"\s+dir="rtl"/)
  t.true(text.includes('\u2068Alice Smith\u2069'))
})
