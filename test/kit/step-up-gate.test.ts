import { once } from 'node:events'
import test from 'ava'
import {
  type StepUpDecision,
  StepUpGate,
  type StepUpOptions,
  type StepUpRefusal,
} from '../../packages/kit/src/step-up.ts'

const SUMMARY = [{ label: 'To', value: 'ACME GmbH' }]
const OPERATION = { type: 'payments.initiate', request: { to: 'ACME GmbH' }, summary: SUMMARY }

/** A gate whose client is a stub: no call of the service is expected, and each is counted. */
function gate(operation: () => unknown, changes: Partial<StepUpOptions<object>> = {}) {
  const refusals: StepUpRefusal[] = []
  const calls: string[] = []
  const called = (what: string) => async () => {
    calls.push(what)
    throw new Error('not expected')
  }
  const stepUpGate = new StepUpGate<object>({
    client: {
      openChallenge: called('open'),
      inspectChallenge: called('inspect'),
      consumeChallenge: called('consume'),
      jwksUrl: new URL('http://127.0.0.1:1/jwks'),
    },
    clientId: 'payments',
    subjectUserId: () => 'alice',
    operation: operation as StepUpOptions<object>['operation'],
    executions: 'in-the-handler',
    onRefused: (refusal) => void refusals.push(refusal),
    ...changes,
  })
  const decide = (headers: Record<string, string> = {}) => stepUpGate.decide({}, (name) => headers[name])
  return { decide, refusals, calls }
}

function answerOf(decision: StepUpDecision) {
  if (decision.decision !== 'answer') throw new Error('it runs')
  return { status: decision.answer.status, code: JSON.parse(decision.answer.body.toString()).code }
}

const circular: unknown[] = []
circular.push(circular)
const unreadable = Proxy.revocable({}, {})
unreadable.revoke()

for (const [what, operation, why] of [
  ['throws an error', () => raise(new RangeError('no such account')), /^no such account$/],
  ['throws a text', () => raise('no such account'), /^no such account$/],
  ['throws null', () => raise(null), /^The function operation threw null$/],
  ['throws undefined', () => raise(undefined), /^The function operation threw undefined$/],
  ['rejects with an error', async () => raise(new RangeError('no such account')), /^no such account$/],
  ['rejects with undefined', () => Promise.reject(), /^The function operation threw undefined$/],
  ['destructures a body that is not there', () => nameIn(undefined), /undefined/],
  ['returns nothing', () => undefined, /expected object/],
  ['returns null', () => null, /expected object/],
  ['resolves to nothing', async () => {}, /expected object/],
  ['returns a text', () => 'payments.initiate', /expected object/],
  ['returns a number', () => 7, /expected object/],
  ['returns a list', () => [], /expected object/],
  ['returns what cannot be read', () => unreadable.proxy, /revoked/],
  ['returns no request', () => ({ ...OPERATION, request: undefined }), /request is not JSON/],
  ['returns a map as the request', () => ({ ...OPERATION, request: new Map() }), /request is not JSON/],
  ['returns a request that cannot be read', () => ({ ...OPERATION, request: unreadable.proxy }), /revoked/],
  ['returns a request within itself', () => ({ ...OPERATION, request: circular }), /nested too deeply/],
  ['returns no type', () => ({ ...OPERATION, type: undefined }), /"type"/],
  ['returns a type that is a symbol', () => ({ ...OPERATION, type: Symbol('x') }), /"type"/],
  ['returns a type that is a bigint', () => ({ ...OPERATION, type: 1n }), /"type"/],
  ['returns no summary', () => ({ ...OPERATION, summary: undefined }), /"summary"/],
  ['returns a text as the summary', () => ({ ...OPERATION, summary: 'EUR 1' }), /"summary"/],
  ['returns a summary within itself', () => ({ ...OPERATION, summary: circular }), /"summary"/],
  ['returns a line that is null', () => ({ ...OPERATION, summary: [null] }), /"summary"/],
  ['returns a line without a value', () => ({ ...OPERATION, summary: [{ label: 'To' }] }), /"value"/],
  ['returns a bigint to read', () => ({ ...OPERATION, summary: [{ label: 'To', value: 7n }] }), /"value"/],
  ['returns a bigint as the lifetime', () => ({ ...OPERATION, expiresInSeconds: 9n }), /"expiresInSeconds"/],
  [
    'returns no finite lifetime',
    () => ({ ...OPERATION, expiresInSeconds: Number.NaN }),
    /"expiresInSeconds"/,
  ],
] as readonly (readonly [string, () => unknown, RegExp])[]) {
  test(`an operation that ${what} is OPERATION_NOT_VALID without a call, and onRefused learns why`, async (t) => {
    const { decide, refusals, calls } = gate(operation)

    for (const headers of [{}, { 'plmr-mfa-challenge-id': 'x', 'plmr-mfa-signature': 'a.b.c' }]) {
      t.deepEqual(answerOf(await decide(headers)), { status: 400, code: 'OPERATION_NOT_VALID' })
    }

    t.deepEqual(calls, [])
    t.is(refusals.length, 2)
    for (const refusal of refusals) {
      t.like(refusal, { code: 'OPERATION_NOT_VALID', subjectUserId: 'alice' })
      t.regex(refusal.cause instanceof Error ? refusal.cause.message : String(refusal.cause), why)
    }
  })
}

test('nobody is UNAUTHORIZED, and the operation is not looked at', async (t) => {
  const { decide, refusals } = gate(() => t.fail(), { subjectUserId: () => undefined })

  t.deepEqual(answerOf(await decide()), { status: 401, code: 'UNAUTHORIZED' })
  t.deepEqual(refusals, [{ code: 'UNAUTHORIZED', subjectUserId: undefined, challengeId: undefined }])
})

for (const [how, fail] of [
  ['throws', () => raise(new Error('the log is full'))],
  ['rejects', async () => raise(new Error('the log is full'))],
  ['throws null', () => raise(null)],
] as const) {
  test.serial(`an onRefused that ${how} changes no answer, and warns`, async (t) => {
    const warning = once(process, 'warning')
    const { decide } = gate(() => raise(new Error('no body')), { onRefused: fail })

    t.deepEqual(answerOf(await decide()), { status: 400, code: 'OPERATION_NOT_VALID' })
    t.regex(String((await warning)[0]), how === 'throws null' ? /null/ : /the log is full/)
  })
}

test('what a failing authentication throws is left to the framework', async (t) => {
  const { decide } = gate(() => OPERATION, { subjectUserId: () => raise(new Error('no session store')) })

  await t.throwsAsync(decide(), { message: 'no session store' })
})

function nameIn(body: unknown): unknown {
  const { to } = body as { to: string }
  return to
}

function raise(thrown: unknown): never {
  throw thrown
}
