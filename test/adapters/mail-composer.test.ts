import test from 'ava'
import fc from 'fast-check'
import { HtmlOtpMailComposer } from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import type { OtpNotice } from '../../src/application/ports/otp-mail-composer.ts'
import type { SummaryLine } from '../../src/domain/operation.ts'
import { afterNoon, NOON, TRANSFER } from '../domain/examples.ts'

const composer = new HtmlOtpMailComposer()

const NOTICE: OtpNotice = {
  code: '042917',
  reference: 'QK',
  summary: TRANSFER.summary,
  issuedAt: NOON,
  expiresAt: afterNoon(300),
  displayName: 'Alice Smith',
}

const compose = (differences: Partial<OtpNotice> = {}) => composer.compose({ ...NOTICE, ...differences })
const ofValue = (value: string) => compose({ summary: [{ label: 'To', value }] })

const TAG = /<[^>]*>/
const tags = (html: string) => html.match(new RegExp(TAG, 'g')) ?? []
const texts = (html: string) => html.split(TAG)
const unescaped = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

const BAR = '  | '
const barred = (text: string) => text.split('\n').filter((line) => line.startsWith(BAR))
const unbarred = (text: string) => text.split('\n').filter((line) => !line.startsWith(BAR))

test('the text says what is confirmed, the code and its mark, its end, and what to do if it was not you', (t) => {
  t.is(
    compose().text,
    `Read first, then confirm

Hello \u2068Alice Smith\u2069,

You are asked to confirm the following. Please read
every line: the code below confirms exactly this and
nothing else.

  | \u2068Amount\u2069
  |     \u2068EUR 1,250.00\u2069
  | \u2068To\u2069
  |     \u2068ACME GmbH, DE89 3704 0044 0532 0130 00\u2069

Your confirmation code, mark QK:

        042917

Valid for 5 minutes, until 1 January 2030 at 12:05:00
UTC.

Enter it only where you started, next to the mark QK. If
you have several of these mails, only the newest code
works.

Not you, or not exactly this?
Do not use the code, and do not give it to anybody.
Without it nothing happens. If you did not ask for
this, somebody may know your password: change it, and
contact us the way you always do.

We never ask for this code by phone, chat or mail. There
are no links in this mail, and it needs no answer.`,
  )
})

test('the HTML says the same as the text', (t) => {
  const { html, text } = compose()
  const [, body] = html.split('</head>')
  const words = (content: string) =>
    content
      .replaceAll(/[\u2068\u2069|,·:]/g, '')
      .split(/\s+/)
      .filter(Boolean)

  const said = unescaped(texts(body!).join(' ')).replaceAll('&middot;', '·')

  t.deepEqual(words(said), words(text))
})

test('the subject holds the mark, and neither the code nor anything of the operation', (t) => {
  t.is(compose().subject, 'Your confirmation code (QK)')
})

test('the HTML stands alone: it links to nothing and loads nothing', (t) => {
  t.notRegex(
    compose().html,
    /<(a|img|link|script|iframe|form|base|object|svg)\b|href|src|url\(|@import|https?:/i,
  )
})

for (const [seconds, lifetime] of [
  [600, '10 minutes'],
  [299, '4 minutes'],
  [120, '2 minutes'],
  [119, '119 seconds'],
  [1, '1 second'],
] as const) {
  test(`a code that lives ${seconds} seconds is valid for ${lifetime}`, (t) => {
    t.true(compose({ expiresAt: afterNoon(seconds) }).text.includes(`Valid for ${lifetime}, until`))
  })
}

for (const [value, shown] of [
  ['EUR 1\u202E000', 'EUR 1[U+202E]000'],
  ['\u2066a\u2069\u2067b\u2069\u2068', '[U+2066]a[U+2069][U+2067]b[U+2069][U+2068]'],
  ['\u200Ea\u200Fb\u061Cc', '[U+200E]a[U+200F]b[U+061C]c'],
  ['a\u200Bb\u00ADc\u2060d\uFEFFe', 'a[U+200B]b[U+00AD]c[U+2060]d[U+FEFF]e'],
  ['\u3164\u2800\u115F', '[U+3164][U+2800][U+115F]'],
  ['a\u{E0041}', 'a[U+E0041]'],
  ['a\uFFF9b\uFFFAc\uFFFB', 'a[U+FFF9]b[U+FFFA]c[U+FFFB]'],
  ['a\r\nb\tc\u0000\u0085\u2028', 'a[U+000D][U+000A]b[U+0009]c[U+0000][U+0085]'],
  ['lone \uD800', 'lone [U+D800]'],
  ['\u0301a\u0301\u0302\u0303\u0304\u0305', '[U+0301]a\u0301\u0302\u0303\u0304[U+0305]'],
  ['❤\uFE0F, but a\uFE0F', '❤\uFE0F, but a[U+FE0F]'],
  ['שלום, Ålesund, 北京, 1\u202F250\u00A0€', 'שלום, Ålesund, 北京, 1\u202F250\u00A0€'],
] as const) {
  test(`a value ${JSON.stringify(value)} is shown as ${JSON.stringify(shown)}`, (t) => {
    const { html, text } = ofValue(value)

    t.true(barred(text).includes(`${BAR}    \u2068${shown}\u2069`))
    t.true(texts(html).includes(shown))
  })
}

test('each label and each value is a bidirectional paragraph of its own', (t) => {
  const cells = tags(compose().html).filter((tag) => tag.includes('class="line') && /^<t[hd]/.test(tag))

  t.is(cells.length, 2 * NOTICE.summary.length)
  t.true(cells.every((tag) => tag.includes(' dir="auto"')))
})

test('markup in a value is text', (t) => {
  const value = `<img src=x onerror="alert('1')">&lt;`

  const { html } = ofValue(value)

  t.true(html.includes('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;lt;'))
  t.deepEqual(tags(html), tags(ofValue('ACME').html))
})

test('a value that copies our lines stays behind its bar', (t) => {
  const { text } = ofValue('Your confirmation code, mark QK:                                        999999')

  t.deepEqual(unbarred(text), unbarred(ofValue('ACME').text))
  t.deepEqual(
    unbarred(text).filter((line) => /^\s*\d{6}$/.test(line)),
    ['        042917'],
  )
})

for (const name of ['Alice Smith', "Siobhán O'Hara-Łuk", 'J. R. Müller', 'محمد', '王小明']) {
  test(`${name} is greeted by name, isolated`, (t) => {
    const { text, html } = compose({ displayName: name })

    t.true(text.includes(`Hello \u2068${name}\u2069,\n`))
    t.true(unescaped(html).includes(`<p style="margin:0 0 16px">Hello \u2068${name}\u2069,</p>`))
  })
}

for (const name of [
  'Call 555 0100',
  'evil.example',
  'https://x',
  'a\u202Eb',
  '<b>',
  'a\r\nb',
  'x'.repeat(61),
  '',
  undefined,
]) {
  test(`${JSON.stringify(name)} is no name to greet by`, (t) => {
    const { text, html } = compose({ displayName: name })

    t.true(text.includes('\nHello,\n'))
    t.true(html.includes('>Hello,<'))
  })
}

/** Text made of all that breaks lines, markup, bidirectional order and shapes, and of our own words. */
const hostile = fc.string({
  maxLength: 200,
  unit: fc.oneof(
    fc.constantFrom(
      ...['<', '>', '&', '"', "'", '</td>', '<!--', '-->', '&lt;', '$&', '\n', '\r\n', '\t', '\0', '\x85'],
      ...['\u2028', '\u2029', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E', '\u2066', '\u2067', '\u2068'],
      ...[
        '\u2069',
        '\u200E',
        '\u200F',
        '\u061C',
        '\u200B',
        '\u200D',
        '\uFEFF',
        '\u00AD',
        '\u{E0020}',
        '\u3164',
      ],
      ...[
        '\u0301',
        '\u20DD',
        '\uFE0F',
        '\uD800',
        '\uDC00',
        'א',
        'م',
        '❤',
        '👩',
        '  | ',
        '        042917',
        '999999',
      ],
      ...['Your confirmation code, mark QK:', ' ', '\u00A0', 'ACME'],
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
})
const summaries = fc.array(fc.record({ label: hostile, value: hostile }), { minLength: 1, maxLength: 10 })

const harmless = (summary: readonly SummaryLine[]) =>
  compose({ summary: summary.map((_, line) => ({ label: `label-${line}`, value: `value-${line}` })) })

/** Whatever steers a renderer without being seen, isolates apart. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200B-\u200F\u202A-\u202E\u2066\u2067\uFEFF\u00AD]/u

test('whatever the summary holds, all else in the HTML is as if it were harmless', (t) => {
  fc.assert(
    fc.property(summaries, (summary) => {
      const { html } = compose({ summary })
      const expected = harmless(summary).html

      t.deepEqual(tags(html), tags(expected))
      for (const [position, text] of texts(expected).entries()) {
        const actual = texts(html)[position]!
        if (/^(label|value)-\d+$/.test(text)) t.notRegex(actual, /[<>"\u2068\u2069]/)
        else t.is(actual, text)
      }
      t.notRegex(html.replaceAll('\n', ''), STEERING)
    }),
  )
})

test('whatever the summary holds, all else in the text is as if it were harmless', (t) => {
  fc.assert(
    fc.property(summaries, (summary) => {
      const { text } = compose({ summary })

      t.deepEqual(unbarred(text), unbarred(harmless(summary).text))
      t.notRegex(text.replaceAll('\n', ''), STEERING)
      for (const line of barred(text)) t.regex(line, /^ {2}\| (?: {4})?\u2068[^\u2068\u2069]*\u2069$/)
    }),
  )
})

test('whatever the summary holds, the subject is the same', (t) => {
  fc.assert(
    fc.property(summaries, (summary) => {
      t.is(compose({ summary }).subject, compose().subject)
    }),
  )
})

test('a printable value is there to the last character, in its order', (t) => {
  const printable = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 })
    .map((text) => text.trim())
  fc.assert(
    fc.property(printable, printable, (label, value) => {
      fc.pre(label !== '' && value !== '')
      const { html, text } = compose({ summary: [{ label, value }] })

      const at = texts(harmless([{ label, value }]).html).indexOf('value-0')
      t.is(unescaped(texts(html)[at]!), value)
      const spoken = barred(text).map((line) => line.replace(/^.*?\u2068(.*)\u2069$/, '$1'))
      t.is(spoken.join('').replaceAll(' ', ''), `${label}${value}`.replaceAll(' ', ''))
    }),
  )
})
