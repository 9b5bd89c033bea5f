import test from 'ava'
import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5'
import { HtmlOtpMailComposer } from '../../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { createWordings } from '../../../src/adapters/mail-composer/wording.ts'
import type { OtpNotice } from '../../../src/application/ports/otp-mail-composer.ts'
import { Operation, type SummaryLine } from '../../../src/domain/operation.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'
import { VISIBLE_TEXTS } from '../../support/visible-texts.ts'

const SETTINGS = {
  brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: undefined,
}
const composer = new HtmlOtpMailComposer(SETTINGS)

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

type Node = DefaultTreeAdapterTypes.ChildNode
type Element = DefaultTreeAdapterTypes.Element

/** Everything in the HTML as a browser reads it, in its order. */
const nodes = (html: string): Node[] => {
  const below = (parent: DefaultTreeAdapterTypes.ParentNode): Node[] =>
    parent.childNodes.flatMap((node) => ('childNodes' in node ? [node, ...below(node)] : [node]))
  return below(parse(html))
}
const elements = (html: string) => nodes(html).filter((node) => defaultTreeAdapter.isElementNode(node))
const attribute = (element: Element, name: string) => element.attrs.find((each) => each.name === name)?.value
const isOf = (element: Element, className: string) => attribute(element, 'class') === className
const textOf = (element: Element): string =>
  element.childNodes
    .map((node) =>
      defaultTreeAdapter.isTextNode(node)
        ? node.value
        : defaultTreeAdapter.isElementNode(node)
          ? textOf(node)
          : '',
    )
    .join('')
const cells = (html: string, className: 'label' | 'value') =>
  elements(html)
    .filter((element) => isOf(element, className))
    .map(textOf)

/** The HTML without what its summary says: tags with their attributes, comments, and all other text. */
const frame = (html: string) =>
  nodes(html).map((node) => {
    if (defaultTreeAdapter.isElementNode(node)) return [node.tagName, ...node.attrs]
    if (defaultTreeAdapter.isCommentNode(node)) return node.data
    if (!defaultTreeAdapter.isTextNode(node)) return node.nodeName
    const parent = node.parentNode as Element
    return isOf(parent, 'label') || isOf(parent, 'value') ? 'of the summary' : node.value
  })

const BAR = '  | '
const barred = (text: string) => text.split('\n').filter((line) => line.startsWith(BAR))
const unbarred = (text: string) => text.split('\n').filter((line) => !line.startsWith(BAR))
const unisolated = (text: string) => text.replaceAll(/[\u2068\u2069]/g, '')

test('the text says what is confirmed, the code and its mark, its end, and what to do if it was not you', (t) => {
  t.is(
    compose().text,
    `Countersign

Read first, then confirm

Hello Alice Smith,

You are asked to confirm the following. Please read
every line: the code below confirms exactly this and
nothing else.

  | Amount
  |     EUR 1,250.00
  | To
  |     ACME GmbH, DE89 3704 0044 0532 0130 00

Your confirmation code (mark QK)

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

for (const { language: locale } of createWordings()) {
  test(`the HTML says the same as the text, and its title names the sender (${locale})`, (t) => {
    const { html, text } = compose({ locale })
    const [body, title] = ['body', 'title'].map((name) =>
      textOf(elements(html).find(({ tagName }) => tagName === name)!),
    )
    const words = (content: string) =>
      unisolated(content)
        .split(/[\s|]+/)
        .filter(Boolean)

    t.deepEqual(words(body!), words(text))
    t.is(title, 'Countersign')
  })
}

test('the subject holds the mark, and neither the code nor anything of the operation', (t) => {
  t.is(compose().subject, 'Your confirmation code (QK)')
})

test('the summary is a table: a row for each line, of a heading and a cell', (t) => {
  const table = elements(compose().html).find(
    (element) => element.tagName === 'table' && attribute(element, 'role') !== 'presentation',
  )!
  const rows = table.childNodes
    .filter((node) => defaultTreeAdapter.isElementNode(node))
    .flatMap(({ childNodes }) => childNodes.filter((node) => defaultTreeAdapter.isElementNode(node)))

  t.deepEqual(
    rows.map((row) =>
      row.childNodes
        .filter((node) => defaultTreeAdapter.isElementNode(node))
        .map((cell) => [cell.tagName, textOf(cell)]),
    ),
    NOTICE.summary.map(({ label, value }) => [
      ['th', label],
      ['td', value],
    ]),
  )
})

test('the code is one run of digits that no space, tag or other number of its length is near', (t) => {
  const { html, text } = compose()
  const [code, ...more] = elements(html).filter((element) => isOf(element, 'code'))

  t.is(more.length, 0)
  t.is(textOf(code!), '042917')
  t.is(attribute(code!, 'dir'), 'ltr')
  t.deepEqual(html.match(/\d{6,8}/g), ['042917'])
  t.deepEqual(text.match(/\d{6,8}/g), ['042917'])
})

/** What may load, link, run, send or embed, by element and by attribute. */
const ACTIVE =
  /^(a|applet|area|audio|base|button|embed|form|frame|iframe|img|input|link|object|picture|script|source|svg|video)$/
const ADDRESS =
  /^(on.*|href|src|srcset|action|background|cite|data|formaction|longdesc|manifest|ping|poster)$/

test('the HTML stands alone: it links to nothing and loads nothing', (t) => {
  const { html } = compose()

  t.deepEqual(
    elements(html).filter(
      ({ tagName, attrs }) => ACTIVE.test(tagName) || attrs.some(({ name }) => ADDRESS.test(name)),
    ),
    [],
  )
  t.notRegex(html, /url\(|@import|@font-face|expression\(/i)
  t.deepEqual(html.match(/https?:[^"]*/g), ['http://www.w3.org/1999/xhtml'])
})

test('nothing in the mail is hidden', (t) => {
  t.notRegex(compose().html, /display:\s*none|visibility|opacity|\bhidden\b(?!;)|max-height|text-indent/i)
})

test('the logo is the one thing that is loaded, in the place of the name', (t) => {
  const logoUrl = 'https://bank.example/logo.png?a=1&b="2"'
  const branded = new HtmlOtpMailComposer({
    ...SETTINGS,
    brand: { name: 'Fjord & Bank', color: '#f2b705', logoUrl },
  })
  const { html, text } = branded.compose(NOTICE)
  const loading = elements(html).filter(({ attrs }) => attrs.some(({ name }) => ADDRESS.test(name)))

  t.deepEqual(
    loading.map((image) => [image.tagName, attribute(image, 'src'), attribute(image, 'alt')]),
    [['img', logoUrl, 'Fjord & Bank']],
  )
  t.true(text.startsWith('Fjord & Bank\n\n'))
})

test('the name stands on the colour, in black or white', (t) => {
  const on = (color: string) => {
    const brand = { name: 'Fjord <Bank>', color, logoUrl: undefined }
    const { html } = new HtmlOtpMailComposer({ ...SETTINGS, brand }).compose(NOTICE)
    const name = elements(html).findLast(
      (element) => element.tagName === 'div' && textOf(element).trim() === 'Fjord <Bank>',
    )!
    return [
      html.includes(`background-color:${color}`),
      attribute(name, 'style')!.match(/[^-]color:([^;]+)/)![1],
    ]
  }

  t.deepEqual(on('#0f4c5c'), [true, '#fff'])
  t.deepEqual(on('#f2b705'), [true, '#000'])
})

test('the last line of the text binds the code to the app, if it is known; the HTML has no such line', (t) => {
  const bound = new HtmlOtpMailComposer({ ...SETTINGS, appHost: 'app.bank.example' }).compose(NOTICE)

  t.is(bound.text, `${compose().text}\n\n@app.bank.example #042917`)
  t.is(bound.html, compose().html)
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

for (const [value, shown] of VISIBLE_TEXTS) {
  test(`a value ${JSON.stringify(value)} is shown as ${JSON.stringify(shown)}`, (t) => {
    const { html, text } = ofValue(value)

    t.true(barred(text).map(unisolated).includes(`${BAR}    ${shown}`))
    t.deepEqual(cells(html, 'value'), [shown])
  })
}

for (const [code, values] of [
  ['042917', ['[4]82915', '4829151', '48291512']],
  ['0429173', ['482915', '[4]829151', '48291512']],
  ['04291735', ['482915', '4829151', '[4]8291512']],
] as const) {
  test(`beside a code of ${code.length} digits, no label or value has a number of that length`, (t) => {
    const summary = values.map((value) => ({ label: `No. ${unmarked(value)}`, value: unmarked(value) }))
    const { html, text } = compose({ code, summary })

    t.deepEqual(cells(html, 'value'), [...values])
    t.deepEqual(
      cells(html, 'label'),
      values.map((value) => `No. ${value}`),
    )
    const numbers = text.match(/\d+/g)!.filter(({ length }) => length === code.length)
    t.deepEqual(numbers, [code])
  })
}

test('marks cannot be piled up by putting joiners between them', (t) => {
  const [shown] = cells(ofValue(`क${'\u0941\u200D'.repeat(9)}क`).html, 'value')

  t.is(shown, `क${'\u0941\u200D'.repeat(3)}\u0941[U+200D]${'[U+0941][U+200D]'.repeat(5)}क`)
})

test('each label and each value is a bidirectional paragraph of its own', (t) => {
  const each = elements(compose().html).filter((element) => isOf(element, 'label') || isOf(element, 'value'))

  t.is(each.length, 2 * NOTICE.summary.length)
  t.true(each.every((cell) => attribute(cell, 'dir') === 'auto'))
})

for (const [locale, value, isolated] of [
  ['en', 'EUR 1,250.00', false],
  ['en', 'שלום 1,250.00', true],
  ['en', '\u{1E900} 12', true],
  ['ar', 'EUR 1,250.00', true],
  ['ar', '+49 30 1234567', true],
] as const) {
  test(`in the text, ${value} is ${isolated ? '' : 'not '}isolated from words in ${locale}`, (t) => {
    const { text } = compose({ locale, summary: [{ label: 'To', value }] })

    t.is(barred(text)[1], isolated ? `${BAR}    \u2068${value}\u2069` : `${BAR}    ${value}`)
  })
}

test('an operation as long as may be is all there, and no line is long enough to be broken again', (t) => {
  const summary = Array.from({ length: Operation.maxSummaryLines }, (_, line) => ({
    label: `${line}`.repeat(Operation.maxLabelLength),
    value: `${'\u202E'.repeat(Operation.maxValueLength - 1)}${line}`,
  }))
  const { html, text } = compose({ summary })
  const shown = summary.map(({ value }) => value.replaceAll('\u202E', '[U+202E]'))

  t.deepEqual(cells(html, 'value'), shown)
  t.deepEqual(frame(html), frame(harmless(summary).html))
  t.true(text.split('\n').every((line) => line.length <= 64))
  t.is(
    barred(text)
      .map((line) => line.slice(BAR.length).trim())
      .join(''),
    summary.map(({ label }, line) => label + shown[line]).join(''),
  )
})

for (const [what, letter] of [
  ['flag', '🇩🇪'],
  ['family', '👩\u200D👩\u200D👧\u200D👦'],
  ['letter with marks', 'e\u0301\u0302'],
] as const) {
  test(`no line of the text ends inside a ${what}`, (t) => {
    for (const before of ['', 'x']) {
      const value = before + letter.repeat(200)
      const [, ...lines] = barred(ofValue(value).text).map((line) => line.slice(BAR.length).trim())

      t.true(lines.length > 1)
      t.is(lines.join(''), value)
      t.deepEqual(
        lines.filter((line) => line.replace(/^x/, '').replaceAll(letter, '') !== ''),
        [],
      )
    }
  })
}

test('a value that copies our lines stays behind its bar', (t) => {
  const { text } = ofValue('Your confirmation code (mark QK)                                        999999')

  t.deepEqual(unbarred(text), unbarred(ofValue('ACME').text))
  t.deepEqual(
    unbarred(text).filter((line) => /^\s*\d{6}$/.test(line)),
    ['        042917'],
  )
})

for (const name of ['Alice Smith', "Siobhán O'Hara-Łuk", 'J. R. Müller', '王小明']) {
  test(`${name} is greeted by name`, (t) => {
    const { text, html } = compose({ displayName: name })

    t.true(text.includes(`\nHello ${name},\n`))
    t.true(elements(html).some((element) => textOf(element).replaceAll(/\s+/g, ' ') === `Hello ${name},`))
  })
}

for (const name of ['محمد', 'דנה', 'علی\u200Cرضا']) {
  test(`${name} is greeted by name, isolated`, (t) => {
    const { text, html } = compose({ displayName: name })

    t.true(text.includes(`\nHello \u2068${name}\u2069,\n`))
    t.true(
      elements(html).some(
        (element) => textOf(element).replaceAll(/\s+/g, ' ') === `Hello \u2068${name}\u2069,`,
      ),
    )
  })
}

for (const name of [
  'Call 555 0100',
  'evil.example',
  'https://x',
  'a\u202Eb',
  'a\u200Db',
  '<b>',
  '{{code}}',
  '{{- code}}',
  '$t(warning)',
  '{{#summary}}',
  '<mj-text>',
  'a\r\nb',
  'x'.repeat(61),
  '',
  undefined,
]) {
  test(`${JSON.stringify(name)} is no name to greet by`, (t) => {
    const nameless = compose({ displayName: undefined })

    t.deepEqual(compose({ displayName: name }), nameless)
    t.true(nameless.text.includes('\nHello,\n'))
  })
}

/** Text made of all that breaks lines, markup, templates, bidirectional order and shapes, and of our own words. */
const hostile = fc.string({
  maxLength: 200,
  unit: fc.oneof(
    fc.constantFrom(
      ...[
        '<',
        '>',
        '&',
        '"',
        "'",
        '</td>',
        '</table>',
        '<!--',
        '-->',
        '<![endif]-->',
        '&lt;',
        '$&',
        '</style>',
      ],
      ...[
        '{{code}}',
        '{{value}}',
        '{{#summary}}',
        '{{/summary}}',
        '{{',
        '}}',
        '$t(title)',
        '<mj-text>',
        '</mjml>',
      ],
      ...[
        '\n',
        '\r\n',
        '\t',
        '\0',
        '\x85',
        '\u2028',
        '\u2029',
        '\u202A',
        '\u202B',
        '\u202C',
        '\u202D',
        '\u202E',
      ],
      ...['\u2066', '\u2067', '\u2068', '\u2069', '\u200E', '\u200F', '\u061C', '\u200B', '\u200C', '\u200D'],
      ...['\uFEFF', '\u00AD', '\u{E0020}', '\u3164', '\u0301', '\u20DD', '\uFE0F', '\uD800', '\uDC00'],
      ...[
        'א',
        'م',
        'क',
        '\u094D',
        '❤',
        '👩',
        '🇩',
        '  | ',
        '        042917',
        '999999',
        '@bank.example #999999',
      ],
      ...['Your confirmation code (mark QK)', ' ', '\u00A0', 'ACME'],
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
})
const summaries = fc.array(fc.record({ label: hostile, value: hostile }), { minLength: 1, maxLength: 10 })

const harmless = (summary: readonly SummaryLine[]) =>
  compose({ summary: summary.map(() => ({ label: 'label', value: 'value' })) })

/** Whatever steers a renderer without being seen, isolates and joiners apart. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200B\u200E\u200F\u202A-\u202E\u2066\u2067\uFEFF\u00AD]/u
const FIRST_OR_LAST_JOINER = /^[\u200C\u200D]|[\u200C\u200D]$|[\u200C\u200D]{2}/

test('whatever the summary holds, all else in the HTML is as if it were harmless', (t) => {
  fc.assert(
    fc.property(summaries, (summary) => {
      // An empty text is no node at all; the operation does not allow one.
      fc.pre(summary.every(({ label, value }) => label.trim() !== '' && value.trim() !== ''))
      const { html } = compose({ summary })

      t.deepEqual(frame(html), frame(harmless(summary).html))
      t.notRegex(html.replaceAll('\n', ''), STEERING)
      for (const text of [...cells(html, 'label'), ...cells(html, 'value')]) {
        t.notRegex(text, /[\u2068\u2069]/)
        t.notRegex(text, FIRST_OR_LAST_JOINER)
      }
    }),
  )
})

test('whatever the summary holds, all else in the text is as if it were harmless', (t) => {
  fc.assert(
    fc.property(summaries, fc.constantFrom('en', 'ar'), (summary, locale) => {
      const { text } = compose({ summary, locale })
      const blank = compose({ summary: [{ label: 'label', value: 'value' }], locale })

      t.deepEqual(unbarred(text), unbarred(blank.text))
      t.notRegex(text.replaceAll('\n', ''), STEERING)
      for (const line of barred(text)) {
        t.regex(line, /^ {2}\| (?: {4})?(?:\u2068[^\u2068\u2069]*\u2069|[^\u2068\u2069\u0590-\u08FF]*)$/)
      }
    }),
  )
})

test('whatever the summary and the name hold, the subject is the same', (t) => {
  fc.assert(
    fc.property(summaries, hostile, (summary, displayName) => {
      t.is(compose({ summary, displayName }).subject, compose().subject)
    }),
  )
})

test('whatever the name holds, all else in the mail is the same', (t) => {
  const named = ({ text, html }: { text: string; html: string }) => [
    text.replace(/^Hello.*,$/m, 'Hello,'),
    frame(html).map((part) => (typeof part === 'string' ? part.replace(/^Hello.*,$/s, 'Hello,') : part)),
  ]
  fc.assert(
    fc.property(hostile, (displayName) => {
      t.deepEqual(named(compose({ displayName })), named(compose()))
    }),
  )
})

/** Without the brackets around what would make a link or a code. */
const unmarked = (text: string) => text.replaceAll(/\[([.:\d])\]/g, '$1')

test('a printable value is there to the last character, in its order', (t) => {
  const printable = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 })
    .map((text) => text.trim())
  fc.assert(
    fc.property(printable, printable, (label, value) => {
      fc.pre(label !== '' && value !== '')
      const { html, text } = compose({ summary: [{ label, value }] })

      t.deepEqual(
        [...cells(html, 'label'), ...cells(html, 'value')].map(unmarked),
        [label, value].map(unmarked),
      )
      const spoken = barred(text).map((line) => line.slice(BAR.length))
      t.is(unmarked(spoken.join('').replaceAll(' ', '')), unmarked(`${label}${value}`.replaceAll(' ', '')))
    }),
  )
})
