import test from 'ava'
import { Operation, OperationMalformed } from '../../src/domain/operation.ts'
import { TRANSFER } from './examples.ts'

const line = { label: 'Amount', value: 'EUR 1.00' }

test('an operation keeps its type, digest and summary as given', (t) => {
  t.deepEqual(Operation.of(TRANSFER), TRANSFER)
})

test('a summary may hold letters of any script, and ten lines', (t) => {
  const summary = Array.from({ length: 10 }, () => ({ label: 'إلى', value: 'شركة الأمل 株式会社 👩‍👩‍👧' }))

  t.deepEqual(Operation.of({ ...TRANSFER, summary }).summary, summary)
})

for (const type of ['a', 'payments', 'payments.initiate', 'payee.add_trusted-one.2', 'a'.repeat(64)]) {
  test(`${type} is a type`, (t) => {
    t.is(Operation.of({ ...TRANSFER, type }).type, type)
  })
}

test('a line of a summary has room for a label of 40 characters and a value of 200, and needs one of each', (t) => {
  const summary = [
    { label: 'l'.repeat(40), value: 'v'.repeat(200) },
    { label: 'l', value: 'v' },
    { label: '  l', value: '  v' },
  ]

  t.deepEqual(Operation.of({ ...TRANSFER, summary }).summary, summary)
})

for (const [what, operation, field] of [
  ['an upper-case type', { ...TRANSFER, type: 'Payments' }, 'operation.type'],
  ['a type that ends in a dot', { ...TRANSFER, type: 'payments.' }, 'operation.type'],
  ['a type of two words', { ...TRANSFER, type: 'payments initiate' }, 'operation.type'],
  ['an empty type', { ...TRANSFER, type: '' }, 'operation.type'],
  ['a type of 65 characters', { ...TRANSFER, type: 'a'.repeat(65) }, 'operation.type'],
  ['a digest of 42 characters', { ...TRANSFER, digest: 'A'.repeat(42) }, 'operation.digest'],
  ['a digest of 44 characters', { ...TRANSFER, digest: 'A'.repeat(44) }, 'operation.digest'],
  ['a digest in base64', { ...TRANSFER, digest: `${'A'.repeat(40)}+/A` }, 'operation.digest'],
  ['a second spelling of a digest', { ...TRANSFER, digest: `${'A'.repeat(42)}B` }, 'operation.digest'],
  ['an empty summary', { ...TRANSFER, summary: [] }, 'operation.summary'],
  ['eleven lines', { ...TRANSFER, summary: Array.from({ length: 11 }, () => line) }, 'operation.summary'],
  ['a blank label', { ...TRANSFER, summary: [{ ...line, label: ' ' }] }, 'operation.summary[0].label'],
  [
    'a label of 41 characters',
    { ...TRANSFER, summary: [{ ...line, label: 'l'.repeat(41) }] },
    'operation.summary[0].label',
  ],
  [
    'a value of 201 characters',
    { ...TRANSFER, summary: [line, { ...line, value: 'v'.repeat(201) }] },
    'operation.summary[1].value',
  ],
  [
    'a line feed in a value',
    { ...TRANSFER, summary: [{ ...line, value: 'a\nb' }] },
    'operation.summary[0].value',
  ],
  [
    'a NUL in a value',
    { ...TRANSFER, summary: [{ ...line, value: 'a\u0000b' }] },
    'operation.summary[0].value',
  ],
  [
    'a line separator in a value',
    { ...TRANSFER, summary: [{ ...line, value: 'a\u2028b' }] },
    'operation.summary[0].value',
  ],
  [
    'a lone surrogate in a value',
    { ...TRANSFER, summary: [{ ...line, value: 'a\ud800b' }] },
    'operation.summary[0].value',
  ],
] as const) {
  test(`${what} is refused by name`, (t) => {
    const error = t.throws(() => Operation.of(operation), {
      instanceOf: OperationMalformed,
      code: 'operation-malformed',
    })
    t.is(error.field, field)
    t.regex(error.message, /^must (?:be|have) .+(?:characters|lines)$/)
  })
}
