import test from 'ava'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { ExecutionStore, StoredResponse } from '../../packages/kit/src/execution-store.ts'
import { operationDigest } from '../../packages/kit/src/operation-digest.ts'
import { SingleProcessExecutions } from '../../packages/kit/src/single-process-executions.ts'
import { StepUpGate, type StepUpOptions } from '../../packages/kit/src/step-up.ts'

/* What a run leaves behind, without a framework: the approval is real to the gate, and the service is a stub. */

const NOON = new Date('2030-01-01T12:00:00.000Z')
const CHALLENGE_ID = '0197a000-0000-7000-8000-0000000000c1'
const OPERATION = {
  type: 'payments.initiate',
  request: { to: 'ACME GmbH' },
  summary: [{ label: 'To', value: 'ACME GmbH' }],
}
const HEADERS: Readonly<Record<string, string>> = {
  'plmr-mfa-challenge-id': CHALLENGE_ID,
  'plmr-mfa-signature': 'a.b.c',
}

const { privateKey, publicKey } = await generateKeyPair('EdDSA')
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }] }
const seconds = (at: Date) => at.getTime() / 1000
const authorisation = await new SignJWT({
  jti: CHALLENGE_ID,
  sub: 'alice',
  aud: 'payments',
  operation: { type: OPERATION.type, digest: operationDigest(OPERATION) },
  amr: ['otp', 'email'],
  auth_time: seconds(NOON) - 60,
  iat: seconds(NOON),
  exp: seconds(NOON) + 300,
})
  .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: 'countersign-authorisation+jwt' })
  .sign(privateKey)

/** A gate before an approved operation. `calls` has the calls of the service, in their order. */
function approved(
  executions: ExecutionStore | 'in-the-handler',
  changes: Partial<StepUpOptions<object>> = {},
) {
  const calls: string[] = []
  let status: 'verified' | 'consumed' = 'verified'
  const gate = new StepUpGate<object>({
    client: {
      jwksUrl: new URL('http://127.0.0.1:1/jwks'),
      openChallenge: async () => ({
        challengeId: CHALLENGE_ID,
        signature: 'a.b.c',
        expiresAt: NOON.toISOString(),
        methods: [],
        created: true,
      }),
      inspectChallenge: async () => {
        calls.push('inspect')
        return { status } as Awaited<ReturnType<StepUpOptions<object>['client']['inspectChallenge']>>
      },
      consumeChallenge: async () => {
        calls.push('consume')
        status = 'consumed'
        return {
          challengeId: CHALLENGE_ID,
          subjectUserId: 'alice',
          operation: { ...OPERATION, digest: operationDigest(OPERATION) },
          verifiedAt: NOON.toISOString(),
          consumedAt: NOON.toISOString(),
          authorisation,
        }
      },
    },
    clientId: 'payments',
    subjectUserId: () => 'alice',
    operation: () => OPERATION,
    executions,
    jwks,
    ...changes,
  })
  const decide = () => gate.decide({}, (name) => HEADERS[name])
  return {
    calls,
    /** The first call, without the headers of a challenge. */
    demand: () => gate.decide({}, () => undefined),
    async run() {
      const decided = await decide()
      if (decided.decision !== 'run') throw new Error('it does not run')
      return decided
    },
    /** The code of what a repeat gets, its status if it is the stored answer, or that it runs. */
    async repeat(): Promise<string | number> {
      const decided = await decide()
      if (decided.decision === 'run') return 'runs'
      const { status, body } = decided.answer
      return body.length === 0 ? status : JSON.parse(body.toString()).code
    },
  }
}

const response = (status: number): StoredResponse => ({ status, headers: {}, body: '' })

for (const [status, repeated] of [
  [200, 200],
  [204, 204],
  [302, 302],
  [400, 400],
  [404, 404],
  [407, 407],
  [408, 'OUTCOME_NOT_KNOWN'],
  [409, 409],
  [422, 422],
  [429, 429],
  [498, 498],
  [499, 'OUTCOME_NOT_KNOWN'],
  [500, 'OUTCOME_NOT_KNOWN'],
  [501, 'OUTCOME_NOT_KNOWN'],
  [503, 'OUTCOME_NOT_KNOWN'],
  [599, 'OUTCOME_NOT_KNOWN'],
] as const) {
  test(`after an answer of ${status}, a repeat gets ${repeated}`, async (t) => {
    const { run, repeat } = approved(new SingleProcessExecutions())
    const { running } = await run()

    await running.finish(response(status))

    t.deepEqual([await repeat(), await repeat()], [repeated, repeated])
  })

  test(`after an answer of ${status} by a handler that did nothing, the repeat runs`, async (t) => {
    const { run, repeat } = approved(new SingleProcessExecutions())
    const { running, stepUp } = await run()

    stepUp.nothingDone()
    await running.finish(response(status))

    t.deepEqual([await repeat(), await repeat()], ['runs', 'OPERATION_UNDER_WAY'])
  })
}

for (const end of ['fail', 'lose'] as const) {
  test(`after a handler that did nothing, the repeat runs, though it ended by ${end}`, async (t) => {
    const { run, repeat } = approved(new SingleProcessExecutions())
    const { running, stepUp } = await run()

    stepUp.nothingDone()
    await running[end](new Error('the handler failed'))

    t.is(await repeat(), 'runs')
  })

  test(`without a word of the handler, the repeat does not run after ${end}`, async (t) => {
    const { run, repeat } = approved(new SingleProcessExecutions())
    const { running } = await run()

    await running[end](new Error('the handler failed'))

    t.is(await repeat(), 'OUTCOME_NOT_KNOWN')
  })
}

test('the first end of a run counts: a time-out that answers before the handler does', async (t) => {
  const { run, repeat } = approved(new SingleProcessExecutions())
  const { running } = await run()

  await running.finish(response(503))
  await running.finish(response(202))

  t.is(await repeat(), 'OUTCOME_NOT_KNOWN')
})

test('a handler that says too late that nothing was done is told so, and its answer stays', async (t) => {
  const { run, repeat } = approved(new SingleProcessExecutions())
  const { running, stepUp } = await run()
  await running.finish(response(202))

  t.throws(() => stepUp.nothingDone(), { message: /recorded already/ })

  t.is(await repeat(), 202)
})

test('a store that does not take the outcome is told, and nothing rejects', async (t) => {
  const executions = new SingleProcessExecutions()
  executions.markNotKnown = () => Promise.reject(new Error('the store is away'))
  const told: unknown[] = []
  const { run, repeat } = approved(executions, { onNotRecorded: (...args) => void told.push(args) })
  const { running } = await run()

  await running.fail()

  t.like(told, [[CHALLENGE_ID, { message: 'the store is away' }]])
  t.is(await repeat(), 'OPERATION_UNDER_WAY')
})

test('in the handler, every repeat runs, whatever the one before it said', async (t) => {
  const { run, calls } = approved('in-the-handler')

  for (let n = 0; n < 2; n++) {
    const { running, stepUp } = await run()
    stepUp.nothingDone()
    await running.finish(response(503))
    stepUp.nothingDone()
  }

  t.deepEqual(calls, ['consume', 'consume'])
})

test('the service is asked before the consumption for a store that needs it, once for each approval', async (t) => {
  const { run, repeat, calls } = approved(new SingleProcessExecutions())

  await run()
  await repeat()

  t.deepEqual(calls, ['inspect', 'consume', 'consume'])
})

test('the service is not asked about a challenge that this process has opened', async (t) => {
  const { calls, demand, run } = approved(new SingleProcessExecutions())
  await demand()

  await run()

  t.deepEqual(calls, ['consume'])
})

test('the service is not asked before the consumption for a store that outlives its process', async (t) => {
  const { begin, finish, markNotKnown, abandon } = {
    begin: async () => ({ state: 'run' as const }),
    finish: async () => {},
    markNotKnown: async () => {},
    abandon: async () => {},
  }
  const { run, calls } = approved({ begin, finish, markNotKnown, abandon })

  await run()

  t.deepEqual(calls, ['consume'])
})
