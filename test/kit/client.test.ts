import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import {
  CountersignClient,
  type CountersignClientOptions,
  CountersignError,
} from '../../packages/kit/src/client.ts'
import { listening } from '../http/listening.ts'

const CHALLENGE_ID = '0197a000-0000-7000-8000-0000000000c1'
const PROOF = { signature: 'a.b.c', digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' }
const TOKEN = 'secret-token'
const CONSUMED = {
  challengeId: CHALLENGE_ID,
  subjectUserId: 'alice',
  operation: { type: 'payments.initiate', digest: PROOF.digest, summary: [{ label: 'a', value: 'b' }] },
  verifiedAt: '2030-01-01T12:01:00.000Z',
  consumedAt: '2030-01-01T12:01:02.000Z',
  authorisation: 'a.b.c',
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const consumed: Answer = (_request, response) => response.end(JSON.stringify(CONSUMED))

const refusal =
  (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response
      .writeHead(status, headers)
      .end(JSON.stringify({ code: `urn:plmr:mfa-challenge:api:${code}`, message: 'No', requestId: 'r-1' }))

/** A client of a server that gives these answers, the last of them from then on; what was asked of it. */
async function clientOf(
  t: ExecutionContext,
  answers: readonly Answer[],
  options: Partial<CountersignClientOptions> = {},
) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answers[Math.min(asked.length, answers.length) - 1]!(request, response)
  })
  const baseUrl = await listening(t, server)
  return { client: new CountersignClient({ baseUrl, accessToken: () => TOKEN, ...options }), asked, baseUrl }
}

async function errorOf(t: ExecutionContext, call: Promise<unknown>): Promise<CountersignError> {
  const error = (await t.throwsAsync(call, { instanceOf: CountersignError }))!
  t.false(`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes(TOKEN))
  return error
}

test('a call is repeated under the same key, after answers that may be no more than a moment', async (t) => {
  const { client, asked } = await clientOf(t, [
    refusal(503, 'INTERNAL_SERVER_ERROR'),
    (request) => request.socket.destroy(),
    consumed,
  ])

  t.deepEqual(await client.consumeChallenge(CHALLENGE_ID, PROOF), CONSUMED)

  const keys = asked.map(({ headers }) => headers['plmr-idempotency-key'])
  t.deepEqual(keys, Array(3).fill(`step-up:${CHALLENGE_ID}`))
})

test('the key of a consumption is that of the challenge, in whatever case its id is written', async (t) => {
  const { client, asked } = await clientOf(t, [consumed, consumed])

  await client.consumeChallenge(CHALLENGE_ID.toUpperCase(), PROOF)
  await client.consumeChallenge(CHALLENGE_ID, PROOF)

  const keys = asked.map(({ headers }) => headers['plmr-idempotency-key'])
  t.deepEqual(keys, Array(2).fill(`step-up:${CHALLENGE_ID}`))
})

test('each challenge is opened under a key of its own, the same for all attempts', async (t) => {
  const { client, asked } = await clientOf(t, [refusal(502, 'INTERNAL_SERVER_ERROR')], { retries: 1 })
  const demand = { subjectUserId: 'alice', operation: { type: 'a.b', digest: PROOF.digest, summary: [] } }

  await errorOf(t, client.openChallenge(demand))
  await errorOf(t, client.openChallenge(demand))

  const [first, second, third, fourth] = asked.map(({ headers }) => headers['plmr-idempotency-key'])
  t.truthy(first)
  t.is(first, second)
  t.is(third, fourth)
  t.not(first, third)
})

test('attempts are bounded, and the last refusal is what the caller gets', async (t) => {
  const { client, asked } = await clientOf(t, [refusal(503, 'INTERNAL_SERVER_ERROR')], { retries: 2 })

  t.like(await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF)), {
    code: 'INTERNAL_SERVER_ERROR',
    status: 503,
    requestId: 'r-1',
  })
  t.is(asked.length, 3)
})

test('a refusal that another attempt would not change is not repeated', async (t) => {
  for (const [status, code] of [
    [409, 'CHALLENGE_NOT_VERIFIED'],
    [422, 'OPERATION_DOES_NOT_MATCH_CHALLENGE'],
    [500, 'INTERNAL_SERVER_ERROR'],
  ] as const) {
    const { client, asked } = await clientOf(t, [refusal(status, code)])

    t.like(await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF)), { status, code })
    t.is(asked.length, 1)
  }
})

test('what would cost the user a guess or a mail is sent once', async (t) => {
  const { client, asked } = await clientOf(t, [(request) => request.socket.destroy()])
  const ofUser = { accessToken: 'token-of-user' }

  t.is((await errorOf(t, client.verifyEmail(CHALLENGE_ID, '123456', ofUser))).code, 'UNREACHABLE')
  t.is((await errorOf(t, client.initiateEmail(CHALLENGE_ID, ofUser))).code, 'UNREACHABLE')

  t.deepEqual(
    asked.map(({ url, headers }) => [url, headers.authorization]),
    [
      [`/internal/v1/mfa/totp-email/${CHALLENGE_ID}:verify`, 'Bearer token-of-user'],
      [`/internal/v1/mfa/totp-email/${CHALLENGE_ID}:initiate`, 'Bearer token-of-user'],
    ],
  )
})

test('a pause that the service asks for is kept if it is short, and told if it is long', async (t) => {
  let openFrom = Number.POSITIVE_INFINITY
  const limited = refusal(429, 'BAD_REQUEST', { 'Retry-After': '1' })
  const { client, asked } = await clientOf(
    t,
    [
      (request, response) => {
        const tooSoon = performance.now() < openFrom
        // Timers may be early by a fraction of a millisecond.
        if (asked.length === 1) openFrom = performance.now() + 999
        return (tooSoon ? limited : consumed)(request, response)
      },
    ],
    { retries: 1 },
  )
  const busy = await clientOf(t, [refusal(503, 'INTERNAL_SERVER_ERROR', { 'Retry-After': '3600' })])

  t.deepEqual(await client.consumeChallenge(CHALLENGE_ID, PROOF), CONSUMED)
  const told = await errorOf(t, busy.client.consumeChallenge(CHALLENGE_ID, PROOF))

  t.is(told.retryAfterInSeconds, 3600)
  t.is(busy.asked.length, 1)
})

test('an answer that does not come, or not to its end, ends with the time-out', async (t) => {
  const silent: Answer = () => {}
  const slow: Answer = (_request, response) => void response.writeHead(200).write('{"challengeId":')
  for (const answer of [silent, slow]) {
    let attempts = 0
    const { client } = await clientOf(t, [answer], {
      timeoutInMs: 100,
      retries: 1,
      fetch: (...request) => {
        attempts++
        return fetch(...request)
      },
    })

    t.is((await errorOf(t, client.inspectChallenge(CHALLENGE_ID))).code, 'UNREACHABLE')
    t.is(attempts, 2)
  }
})

test('an answer that breaks off is no answer', async (t) => {
  const cut: Answer = (_request, response) => {
    response.writeHead(200, { 'Content-Length': '1000' }).write('{"challengeId":', () => response.destroy())
  }
  const { client, asked } = await clientOf(t, [cut, consumed])

  t.deepEqual(await client.consumeChallenge(CHALLENGE_ID, PROOF), CONSUMED)
  t.is(asked.length, 2)
})

test('an answer of somebody else is told as such, whatever its status', async (t) => {
  const page = '<html>Sign in</html>'
  const bodies = [page, '', '[]', 'null', '{"code":1}', JSON.stringify({ ...CONSUMED, consumedAt: 'today' })]
  for (const body of bodies) {
    for (const status of [200, 404]) {
      const { client } = await clientOf(t, [(_request, response) => response.writeHead(status).end(body)])

      const error = await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF))
      t.like(error, { code: 'UNEXPECTED', status })
      t.false(error.message.includes('Sign in'))
    }
  }
  const { client } = await clientOf(t, [consumed])
  t.is((await errorOf(t, client.cancelChallenge(CHALLENGE_ID))).code, 'UNEXPECTED')
})

test('a code that is newer than the client is unexpected, not passed on as text', async (t) => {
  const { client } = await clientOf(t, [refusal(409, 'SOMETHING_NEW')])

  t.like(await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF)), { code: 'UNEXPECTED', status: 409 })
})

test('a redirect is not followed, so the token goes nowhere else', async (t) => {
  const elsewhere = await clientOf(t, [consumed])
  for (const status of [301, 302, 307, 308]) {
    const { client, asked } = await clientOf(t, [
      (_request, response) => response.writeHead(status, { Location: elsewhere.baseUrl }).end(),
    ])

    t.like(await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF)), { code: 'UNEXPECTED', status })
    t.is(asked.length, 1)
  }
  t.is(elsewhere.asked.length, 0)
})

test('an answer without end is not read to its end', async (t) => {
  const ended = Promise.withResolvers<void>()
  const { client, asked } = await clientOf(t, [
    (_request, response) => {
      response.on('close', ended.resolve)
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536))) {}
      }
      response.on('drain', more)
      more()
    },
  ])

  t.is((await errorOf(t, client.inspectChallenge(CHALLENGE_ID))).code, 'UNEXPECTED')
  await ended.promise
  t.is(asked.length, 1)
})

test('a signal ends a call with its own reason, while it is asked and between attempts', async (t) => {
  const asking = new AbortController()
  const silent = await clientOf(t, [() => asking.abort(new Error('changed my mind'))])
  const pausing = new AbortController()
  const busy = await clientOf(t, [
    (request, response) => {
      response.on('finish', () => setTimeout(() => pausing.abort(new Error('waited enough')), 50))
      refusal(503, 'INTERNAL_SERVER_ERROR', { 'Retry-After': '5' })(request, response)
    },
  ])

  const whileAsked = silent.client.inspectChallenge(CHALLENGE_ID, { signal: asking.signal })
  await t.throwsAsync(whileAsked, { message: 'changed my mind' })
  const betweenAttempts = busy.client.inspectChallenge(CHALLENGE_ID, { signal: pausing.signal })
  await t.throwsAsync(betweenAttempts, { message: 'waited enough' })
  const before = silent.client.inspectChallenge(CHALLENGE_ID, {
    signal: AbortSignal.abort(new Error('late')),
  })
  await t.throwsAsync(before, { message: 'late' })

  t.is(silent.asked.length + busy.asked.length, 2)
})

test('without an access token nothing is sent', async (t) => {
  const sources: CountersignClientOptions['accessToken'][] = [
    () => Promise.reject(new Error('the identity provider is away')),
    () => {
      throw new Error('the identity provider is away')
    },
    () => new Promise(() => {}),
    () => `${TOKEN}\r\nX-Injected: 1`,
    () => '',
  ]
  for (const accessToken of sources) {
    const { client, asked } = await clientOf(t, [consumed], { accessToken, timeoutInMs: 100 })

    t.is((await errorOf(t, client.consumeChallenge(CHALLENGE_ID, PROOF))).code, 'TOKEN_UNAVAILABLE')
    t.is(asked.length, 0)
  }
})

test('an id stays one segment of the path, and what cannot be one is refused', async (t) => {
  const { client, asked } = await clientOf(t, [(_request, response) => response.writeHead(204).end()])

  for (const id of ['a/../b', 'a?b#c', 'ü %2e', 'a:b']) await client.eraseUser(id)
  for (const id of ['', '.', '..', '\ud800']) {
    await t.throwsAsync(client.eraseUser(id), { instanceOf: TypeError })
  }

  t.deepEqual(
    asked.map(({ url }) => decodeURIComponent(url!.split('/').at(-1)!)),
    ['a/../b', 'a?b#c', 'ü %2e', 'a:b'],
  )
})

test('a key that no header carries is refused before anything is sent', async (t) => {
  const { client, asked } = await clientOf(t, [consumed])

  for (const idempotencyKey of ['', 'two words', 'naïve', 'x'.repeat(256)]) {
    const call = client.consumeChallenge(CHALLENGE_ID, PROOF, { idempotencyKey })
    await t.throwsAsync(call, { instanceOf: TypeError })
  }
  t.is(asked.length, 0)
})

test('a wrong code says how many more may be given', async (t) => {
  const { client } = await clientOf(t, [refusal(400, 'INVALID_OTP', { RateLimit: '"totp";r=3;t=600' })])

  const error = await errorOf(t, client.verifyEmail(CHALLENGE_ID, '000000', { accessToken: TOKEN }))

  t.like(error, { code: 'INVALID_OTP', guessesLeft: 3 })
})

test('a base URL keeps the prefix of its gateway, and is nothing but a place', async (t) => {
  const { baseUrl, asked } = await clientOf(t, [consumed])
  const client = new CountersignClient({ baseUrl: `${baseUrl}/mfa/`, accessToken: () => TOKEN })

  await client.consumeChallenge(CHALLENGE_ID, PROOF)

  t.is(asked[0]!.url, `/mfa/internal/v1/mfa/challenges/${CHALLENGE_ID}:consume`)
  t.is(client.jwksUrl.href, `${baseUrl}/mfa/.well-known/jwks.json`)
  for (const other of ['ftp://a', 'https://a?b', 'https://user:password@a', 'https://a#b', 'a']) {
    t.throws(() => new CountersignClient({ baseUrl: other, accessToken: () => TOKEN }), {
      instanceOf: TypeError,
    })
  }
})
