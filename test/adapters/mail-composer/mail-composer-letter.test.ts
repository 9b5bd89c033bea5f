import { readFile } from 'node:fs/promises'
import test from 'ava'
import fc from 'fast-check'
import { HtmlTemplate } from '../../../src/adapters/mail-composer/html-template.ts'
import { compiled, compileLetter, LETTERS } from '../../../tools/mail/compile-letter.ts'

for (const letter of LETTERS) {
  test(`the compiled ${letter} is what its MJML compiles to`, async (t) => {
    t.is(await readFile(compiled(letter), 'utf8'), await compileLetter(letter), 'npm run mail:build')
  })
}

test('a template is filled with values in places and repetitions', (t) => {
  const template = HtmlTemplate.parse('<{{a}}|{{#rows}}[{{a}}{{b}}]{{/rows}}|{{#none}}{{c}}{{/none}}>{{a}}')

  t.is(template.fill({ a: 'x', rows: [{ b: '1' }, { b: '2' }], none: [] }).toString(), '<x|[x1][x2]|>x')
})

test('a template is filled in as many steps as one likes', (t) => {
  const template = HtmlTemplate.parse('{{a}}{{#rows}}{{b}}{{c}}{{/rows}}{{d}}')

  const whole = template.fill({ a: '1', rows: [{ b: '2', c: '3' }], d: '4' })
  const first = template.fill({ b: '2' })
  const stepwise = first.fill({ d: '4', rows: [{ c: '3' }] }).fill({ a: '1' })

  t.is(whole.toString(), '1234')
  t.is(stepwise.toString(), '1234')
  t.throws(() => template.toString(), { message: /\ba is not filled/ })
})

test('a value is text, whatever it looks like, in whatever order values come', (t) => {
  const template = HtmlTemplate.parse('<p title="{{a}}">{{b}}</p>')
  const value = fc.string({
    unit: fc.oneof(
      fc.constantFrom('{{a}}', '{{b}}', '{{#b}}', '{{/b}}', '<', '>', '&', '"', "'", '$&', '$1'),
      fc.string(),
    ),
  })
  const escaped = (text: string) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  fc.assert(
    fc.property(value, value, (a, b) => {
      const expected = `<p title="${escaped(a)}">${escaped(b)}</p>`

      t.is(template.fill({ a, b }).toString(), expected)
      t.is(template.fill({ a }).fill({ b }).toString(), expected)
      t.is(template.fill({ b }).fill({ a }).toString(), expected)
    }),
  )
})

for (const [what, fill, message] of [
  [
    'a place without a value',
    () => HtmlTemplate.parse('{{a}}{{b}}').fill({ a: '' }).toString(),
    /b is not filled/,
  ],
  [
    'a place without a value in a repetition',
    () =>
      HtmlTemplate.parse('{{#rows}}{{a}}{{/rows}}')
        .fill({ rows: [{}] })
        .toString(),
    /a is not filled/,
  ],
  [
    'repetitions without values',
    () => HtmlTemplate.parse('{{#rows}}{{/rows}}').toString(),
    /rows is not filled/,
  ],
  ['a value without a place', () => HtmlTemplate.parse('{{a}}').fill({ a: '', b: '' }), /no place for b/],
  ['a section that is not closed', () => HtmlTemplate.parse('{{#a}}{{b}}'), /\{\{#a\}\} is not closed/],
  ['sections that overlap', () => HtmlTemplate.parse('{{#a}}{{#b}}{{/a}}{{/b}}'), /\{\{\/a\}\} closes/],
  ['a section that is closed twice', () => HtmlTemplate.parse('{{#a}}{{/a}}{{/a}}'), /\{\{\/a\}\} closes/],
] as const) {
  test(`a template refuses ${what}`, (t) => {
    t.throws(fill, { message })
  })
}
