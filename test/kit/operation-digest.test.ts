import { createHash } from 'node:crypto'
import test from 'ava'
import { OperationNotCanonical, operationDigest } from '../../packages/kit/src/operation-digest.ts'

const digestOf = (request: unknown, type = 'payments.initiate') => operationDigest({ type, request })

test('a digest is the SHA-256 of the canonical JSON of type and request', (t) => {
  const canonical =
    '{"request":{"amount":"1250.00","list":[1,true,null],"to":"ACME","€":0.1},"type":"payments.initiate"}'

  const digest = digestOf({ to: 'ACME', '€': 0.1, list: [1.0, true, null], amount: '1250.00' } as object)

  t.is(digest, createHash('sha256').update(canonical).digest('base64url'))
  t.is(digest.length, 43)
})

test('the order of members and members that are left out change nothing', (t) => {
  t.is(digestOf({ a: 1, b: { c: 2, d: 3 } }), digestOf({ b: { d: 3, c: 2 }, a: 1, e: undefined }))
  t.is(digestOf({ a: -0 }), digestOf({ a: 0 }))
})

test('any other difference is another operation', (t) => {
  const digests = [
    digestOf({ a: 1 }),
    digestOf({ a: 1 }, 'payments.schedule'),
    digestOf({ a: '1' }),
    digestOf({ a: 2 }),
    digestOf({ a: null }),
    digestOf({ a: [1] }),
    digestOf({ a: 1, b: null }),
    digestOf({}),
    digestOf([]),
    digestOf([1, 2]),
    digestOf([2, 1]),
    digestOf('é'),
    digestOf('e\u0301'),
  ]

  t.is(new Set(digests).size, digests.length)
})

test('what JSON has no word for has no digest, and the error says where it is', (t) => {
  const itself: unknown[] = []
  itself.push(itself)
  const requests: [unknown, string][] = [
    [undefined, 'request'],
    [{ a: new Map([['b', 1]]) }, 'request.a'],
    [{ a: [1, new Date(0)] }, 'request.a[1]'],
    [{ a: Number.NaN }, 'request.a'],
    [{ a: 2 ** 53 }, 'request.a'],
    [{ a: 1n }, 'request.a'],
    [{ a: () => 1 }, 'request.a'],
    [{ a: '\ud800' }, 'request.a'],
    [{ '\ud800': 1 }, 'request'],
    [{ a: [undefined] }, 'request.a[0]'],
    [{ a: { toJSON: () => 1 } }, 'request.a'],
    [new (class Transfer {})(), 'request'],
  ]
  for (const [request, field] of requests) {
    t.is(t.throws(() => digestOf(request), { instanceOf: OperationNotCanonical })?.field, field)
  }
  // biome-ignore lint/suspicious/noSparseArray: it is what must not pass
  t.throws(() => digestOf([1, , 2]), { instanceOf: OperationNotCanonical })
  t.throws(() => digestOf(itself), { instanceOf: OperationNotCanonical })
})
