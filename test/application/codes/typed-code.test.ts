import test from 'ava'
import fc from 'fast-check'
import { codeTyped, isBlank } from '../../../src/application/codes/typed-code.ts'
import { CODE_SPELLINGS, NOT_CODES } from '../../support/code-spellings.ts'

for (const [what, typed, code] of CODE_SPELLINGS) {
  test(`${what}: ${code} is what was typed`, (t) => {
    t.is(codeTyped(typed), code)
  })
}

for (const [what, typed] of NOT_CODES) {
  test(`${what}: not 042917, and not blank`, (t) => {
    t.not(codeTyped(typed), '042917')
    t.false(isBlank(typed))
  })
}

for (const [what, text] of [
  ['nothing', ''],
  ['a space', ' '],
  ['ASCII blanks', ' \t\r\n'],
  ['blanks of Unicode', '\u00A0\u3000\u2028'],
  ['a next line', '\u0085'],
  ['a zero-width space', '\u200B'],
  ['marks and blanks', '\uFEFF\u200F \u00AD'],
] as const) {
  test(`${what}: blank`, (t) => {
    t.true(isBlank(text))
  })
}

for (const [what, text] of [
  ['a hyphen', '-'],
  ['an em dash', '\u2014'],
  ['a zero', '0'],
  ['a letter', 'a'],
  ['a null character', '\u0000'],
  ['a letter that cannot be seen', ' \u3164 '],
  ['a Braille cell without a dot, a symbol', '\u2800'],
] as const) {
  test(`${what}: not blank`, (t) => {
    t.false(isBlank(text))
  })
}

const EVERY_CHARACTER = Array.from({ length: 0x110000 }, (_, codePoint) => String.fromCodePoint(codePoint))
const DIGITS = EVERY_CHARACTER.filter((character) => /\p{Nd}/u.test(character))
const SEPARATORS = EVERY_CHARACTER.filter((character) =>
  /[\p{White_Space}\p{Pd}\p{Cf}\u2212]/u.test(character),
)

test('digits have the values that ICU writes numbers with, in each of its decimal systems', (t) => {
  const systems = Intl.supportedValuesOf('numberingSystem').filter((system) => system !== 'hanidec')
  const known = new Set<string>()
  for (const numberingSystem of systems) {
    const written = new Intl.NumberFormat('en', { numberingSystem, useGrouping: false })
    for (let value = 0; value <= 9; value++) {
      const digit = written.format(value)
      if (!/^\p{Nd}$/u.test(digit)) continue
      known.add(digit)
      t.is(codeTyped(digit), String(value), `${value} in ${numberingSystem}`)
    }
  }
  t.true(known.size > 500)
})

test('each run of digits in Unicode is whole: ten characters, or a multiple of ten', (t) => {
  const values = DIGITS.map(codeTyped).join('')
  t.is(values, '0123456789'.repeat(DIGITS.length / 10))
})

test('a text is blank if all its characters are white space or format characters', (t) => {
  t.deepEqual(
    EVERY_CHARACTER.filter((character) => isBlank(character) !== /[\p{White_Space}\p{Cf}]/u.test(character)),
    [],
  )
})

test('of all characters, only digits change, and only blanks, dashes and format characters vanish', (t) => {
  const gone = EVERY_CHARACTER.filter((character) => codeTyped(character) === '')
  const changed = EVERY_CHARACTER.filter(
    (character) => codeTyped(character) !== character && codeTyped(character) !== '',
  )

  t.deepEqual(
    gone.filter((character) => !/[\p{White_Space}\p{Dash}\p{Cf}]/u.test(character)),
    [],
  )
  t.deepEqual(
    SEPARATORS.filter((character) => !gone.includes(character)),
    [],
  )
  t.deepEqual(
    changed.filter((character) => !/\p{Nd}/u.test(character)),
    [],
  )
})

const digitOf = (value: string) => fc.constantFrom(...DIGITS.filter((digit) => codeTyped(digit) === value))
const separators = fc.array(fc.constantFrom(...SEPARATORS), { maxLength: 4 }).map((all) => all.join(''))
const code = fc.stringMatching(/^[0-9]{6,8}$/)
const spelling = (ofCode: string) =>
  fc
    .tuple(separators, ...[...ofCode].map((value) => fc.tuple(digitOf(value), separators)))
    .map(([first, ...rest]) => first + rest.flat().join(''))
const codeAndSpelling = code.chain((each) => fc.tuple(fc.constant(each), spelling(each)))

test('every spelling of a code is that code', (t) => {
  fc.assert(fc.property(codeAndSpelling, ([each, spelled]) => codeTyped(spelled) === each))
  t.pass()
})

test('what was typed is one candidate: to normalise it again changes nothing', (t) => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(fc.property(text, (typed) => codeTyped(codeTyped(typed)) === codeTyped(typed)))
  t.pass()
})

test('no letter, mark or symbol ever vanishes', (t) => {
  const kept = (text: string) =>
    [...text].filter((one) => /[\p{L}\p{M}\p{S}\p{Nl}\p{No}]/u.test(one) && !/\p{Dash}/u.test(one)).join('')
  const typed = fc
    .tuple(codeAndSpelling, fc.string({ unit: 'binary' }), fc.nat(20))
    .map(([[, spelled], other, at]) => spelled.slice(0, at) + other + spelled.slice(at))
  fc.assert(fc.property(typed, (text) => kept(codeTyped(text)) === kept(text)))
  t.pass()
})

test('the largest body that is read costs next to nothing, whatever is in it', (t) => {
  const started = performance.now()
  for (const filling of [' ', '-', '\u00A0', '\u200B', ' -', '٣', '\u{1D7FF}', '0 ', 'x ']) {
    codeTyped(filling.repeat(16 * 1024))
    isBlank(`${filling.repeat(16 * 1024)}x`)
  }
  t.true(performance.now() - started < 1000)
})
