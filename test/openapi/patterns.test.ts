import vm from 'node:vm'
import test from 'ava'
import fc from 'fast-check'
import {
  NO_CONTROLS,
  NOT_BLANK,
  ONE_LINE as ONE_LINE_OF_THE_DOCUMENT,
} from '../../src/adapters/http-koa/edge/document-patterns.ts'
import { SubscriptionChange } from '../../src/adapters/http-koa/webhooks/postmark/report.ts'
import { isBlank } from '../../src/application/codes/typed-code.ts'
import { EmailAddress, EmailAddressMalformed } from '../../src/domain/email-address.ts'
import { READABLE } from '../../src/domain/operation.ts'
import { ONE_LINE } from '../../src/domain/user.ts'
import { ApiDocument } from '../support/api-document.ts'

const api = ApiDocument.read()
const patterns = patternsIn(api.document)

/** All that there is, but for lone surrogates. */
const CODE_POINTS = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
  .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
  .map((codePoint) => String.fromCodePoint(codePoint))
/** Each inside a text, and in every place those that a rule could mean. */
const TEXTS = CODE_POINTS.map((one) => `a${one}b`).concat(
  CODE_POINTS.filter((one) => /^[\p{Cc}\p{Cf}\p{Z}\sa\u2027\u{1f600}]$/u.test(one)).flatMap((one) => [
    ...[one, `${one}a`, `a${one}`, ` ${one}\u3000`, `${one}\u200b`, `\u200b${one}`],
  ]),
)

test('every pattern is in the syntax that ECMAScript, Python, Java and RE2 share', (t) => {
  // Characters, octets as `\x1f`, escaped signs, classes without a class in them, groups that capture nothing, and bounded counts.
  const inClass = String.raw`(?:\\x[0-9a-f]{2}|[^\\\[\]])`
  const part = String.raw`(?:\\x[0-9a-f]{2}|\\[.]|\[\^?${inClass}+\]|\(\?:|\((?!\?)|[)|^$]|[^\\\[\](){}*+?.|^$])(?:[*+?]|\{\d+(?:,\d+)?\})?`
  const shared = new RegExp(`^(?:${part})*$`)

  t.true(patterns.length > 15)
  t.deepEqual(
    patterns.filter((pattern) => !shared.test(pattern)),
    [],
  )
  for (const foreign of [
    ...[String.raw`\p{Cc}`, String.raw`\s`, String.raw`\S`, String.raw`\d`, String.raw`\u2028`, '.', '(?=a)'],
    ...['(?<!a)', '(?<a>b)', '[[a]]', String.raw`[\p{L}]`, String.raw`[\s]`, String.raw`\1`, 'a{2,}'],
  ]) {
    t.notRegex(foreign, shared)
  }
})

test('no pattern has a character that would end a literal', (t) => {
  t.deepEqual(
    patterns.filter((pattern) => /[\n\r\u2028\u2029]/.test(pattern)),
    [],
  )
})

test('every pattern means the same with and without the flag u', (t) => {
  for (const pattern of patterns) {
    const [one, other] = [new RegExp(pattern), new RegExp(pattern, 'u')]
    for (const text of [
      '',
      'a',
      'ACME GmbH',
      '\u00a0',
      '\u{1f600}',
      'a\u{1f600}',
      '\u{1d7ce}',
      '"a"',
      'A\n',
    ]) {
      t.is(one.test(text), other.test(text), `${pattern} ${JSON.stringify(text)}`)
    }
  }
})

for (const [what, pattern, rule] of [
  ['a line of a summary', ONE_LINE_OF_THE_DOCUMENT, (text: string) => READABLE.test(text)],
  ['a name', ONE_LINE_OF_THE_DOCUMENT, (text: string) => ONE_LINE.test(text)],
  ['a recipient', NO_CONTROLS, (text: string) => SubscriptionChange.shape.Recipient.safeParse(text).success],
] as const) {
  test(`the document and the service say the same of ${what}, character by character`, (t) => {
    const form = new RegExp(pattern, 'u')

    t.deepEqual(
      TEXTS.filter((text) => form.test(text) !== rule(text)),
      [],
    )
    t.is(form.test(''), rule(''))
    // No syntax for lone surrogates means the same everywhere: the description says it in words.
    for (const lone of ['\ud800', 'a\udc00b', '\udfff']) {
      t.true(form.test(lone))
      t.false(rule(lone))
    }
  })
}

test('the document and the service say the same of a code that is not blank, but for format characters beyond U+FFFF', (t) => {
  const form = new RegExp(NOT_BLANK, 'u')

  const otherwise = TEXTS.filter((text) => form.test(text) === isBlank(text))

  t.true(otherwise.length > 0)
  t.deepEqual(
    otherwise.filter((text) => !isBlank(text) || !/[\u{10000}-\u{10ffff}]/u.test(text)),
    [],
  )
})

test('the document and the service say the same of an e-mail address', (t) => {
  const { DirectoryEntry } = api.document.components.schemas as Record<
    string,
    { properties: { email: object } }
  >
  const documented = (text: string) => api.faultsOfValue(DirectoryEntry!.properties.email, text).length === 0
  const served = (text: string) => {
    try {
      EmailAddress.parse(text)
      return true
    } catch (error) {
      if (error instanceof EmailAddressMalformed) return false
      throw error
    }
  }
  const parts = fc.string({ unit: fc.constantFrom(...'aZ0.-@äß。１ '), maxLength: 10 })
  const local = fc.oneof(
    parts,
    fc.integer({ min: 60, max: 70 }).map((length) => 'a'.repeat(length)),
  )
  const domain = fc.oneof(
    fc.constant('example.com'),
    fc.integer({ min: 180, max: 192 }).map((length) => `${'a.'.repeat(length / 2)}com`),
    fc.integer({ min: 60, max: 66 }).map((length) => `${'a'.repeat(length)}.com`),
    parts,
  )

  fc.assert(
    fc.property(local, domain, (one, other) => {
      const text = `${one}@${other}`
      // UTS #46 refuses some domains beyond ASCII that fit the pattern.
      return /\P{ASCII}/u.test(other) && documented(text) ? true : documented(text) === served(text)
    }),
    {
      numRuns: 3000,
      examples: [
        ['', 'example.com'],
        ['a'.repeat(64), 'example.com'],
        ['a'.repeat(65), 'a.b'],
      ],
    },
  )
  t.true(served(`${'a'.repeat(64)}@example.com`))
  t.false(served(`${'a'.repeat(65)}@example.com`))
})

/** In a pattern that takes the square of a length, or worse, this is more than the time below. */
const LONG = 100_000
const MAX_TIME_IN_MS = 1000
const SANDBOX = vm.createContext()
const MATCH = new vm.Script('form.test(text)')
/** What the repeated parts of our patterns take. */
const PUMPS = [
  'a',
  'A',
  '0',
  ' ',
  '\u00a0',
  '-',
  '.',
  'a.',
  'a-',
  'a@',
  '@',
  'a.a-',
  'A_',
  '"a"',
  '\u{1f600}',
  '\x85',
  '\u200b',
  'ab ',
]

test('no long text that is refused keeps a reader of the document busy', (t) => {
  for (const pattern of patterns) {
    for (const pump of PUMPS) {
      for (const [head, tail] of [
        ['', ''],
        ['', '\0'],
        ['', '\n'],
        ['', '@'],
        ['a', '!'],
        ['a@', '\0'],
        ['a@', '-'],
      ]) {
        const text = `${head}${pump.repeat(LONG / pump.length)}${tail}`
        t.notThrows(
          () => matched(new RegExp(pattern, 'u'), text),
          `${pattern}: ${JSON.stringify([head, pump, tail])}`,
        )
      }
    }
  }
})

test('a pattern whose time grows with the square of the length is found', (t) => {
  t.throws(() => matched(/^[^\0]*[^ \0][^\0]*$/u, `${'a'.repeat(LONG)}\0`), {
    code: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  })
})

/** @throws {Error} if that takes too long. */
function matched(form: RegExp, text: string): boolean {
  Object.assign(SANDBOX, { form, text })
  return MATCH.runInContext(SANDBOX, { timeout: MAX_TIME_IN_MS })
}

function patternsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  const { pattern } = node as { pattern?: unknown }
  const within = Object.values(node).flatMap(patternsIn)
  return [...new Set(typeof pattern === 'string' ? [pattern, ...within] : within)]
}
