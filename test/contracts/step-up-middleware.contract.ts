import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { CountersignClient } from '../../packages/kit/src/client.ts'
import { SingleProcessExecutions } from '../../packages/kit/src/single-process-executions.ts'
import type {
  ProtectedOperation,
  StepUp,
  StepUpOptions,
  StepUpRefusal,
} from '../../packages/kit/src/step-up.ts'
import { listening } from '../http/listening.ts'
import { codeIn, mailsTo, paymentsToken, registerUser, until } from '../journeys/client.ts'
import { call, type Reply } from '../support/http-call.ts'

/** As much of a request as the app of the contract looks at, in every framework. */
interface AppRequest {
  readonly body: unknown
  readonly user: string | undefined
}

interface AppAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text is sent as it is, as a stream if `streamed`; anything else as JSON. */
  readonly body: unknown
  readonly streamed?: boolean
  /** Breaks the stream before its end. */
  readonly breaks?: boolean
  /** Answers 204 on the socket, and the framework does not see it. */
  readonly bypasses?: boolean
}

interface App {
  readonly stepUp: Omit<StepUpOptions<AppRequest>, 'subjectUserId' | 'operation'>
  readonly subjectUserId: (request: AppRequest) => string | undefined
  readonly operation: (request: AppRequest) => ProtectedOperation | Promise<ProtectedOperation>
  readonly handle: (stepUp: StepUp, body: unknown) => Promise<AppAnswer>
}

/** `POST /transfers` with a JSON body; the header `x-user` says who calls; every answer has an `X-App` of before the middleware. */
export type CreateApp = (app: App) => Promise<Server> | Server

interface Transfer {
  readonly amount: string
  readonly to: string
}

const TRANSFER: Transfer = { amount: 'EUR 1,250.00', to: 'ACME GmbH' }

/** What an operation service relies on, whatever its framework. `serviceUrl` is that of a real service with a mailbox. */
export function stepUpMiddlewareContract(
  framework: string,
  serviceUrl: () => string,
  createApp: CreateApp,
): void {
  /** An app over the real service, the transfers that it made, and what it was told of refusals. */
  async function startApp(
    t: ExecutionContext,
    changes: Partial<App['stepUp']> & Partial<Pick<App, 'operation'>> = {},
    handle?: App['handle'],
  ) {
    const { operation, ...stepUp } = changes
    const made: string[] = []
    const refusals: StepUpRefusal[] = []
    const server = await createApp({
      stepUp: {
        client: await client(),
        clientId: 'payments',
        executions: new SingleProcessExecutions(),
        onRefused: (refusal) => void refusals.push(refusal),
        ...stepUp,
      },
      subjectUserId: ({ user }) => user,
      operation:
        operation ??
        (({ body }) => ({
          type: 'payments.initiate',
          request: body,
          summary: Object.entries(body as Transfer).map(([label, value]) => ({ label, value })),
        })),
      handle: async (stepUp, body) => {
        made.push(stepUp.challengeId)
        return (
          (await handle?.(stepUp, body)) ?? {
            status: 202,
            headers: { Location: `/transfers/${stepUp.challengeId}` },
            body: { transfer: randomUUID(), by: stepUp.subjectUserId },
          }
        )
      },
    })
    return { url: await listening(t, server), made, refusals }
  }

  async function client(): Promise<CountersignClient> {
    const token = await paymentsToken(serviceUrl())
    return new CountersignClient({ baseUrl: serviceUrl(), accessToken: () => token, timeoutInMs: 20_000 })
  }

  async function transfer(
    url: string,
    user: string | undefined,
    headers: Record<string, string> = {},
    body: object = TRANSFER,
  ): Promise<Reply> {
    const response = await fetch(`${url}/transfers`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(user && { 'x-user': user }), ...headers },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    const json = response.headers.get('Content-Type')?.includes('json')
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
  }

  const referenceOf = ({ body }: Reply) => ({
    'plmr-mfa-challenge-id': body.challengeId as string,
    'plmr-mfa-signature': body.signature as string,
  })

  /** The user reads the mail and gives the code, on the paths that the app's answer named. */
  async function countersign(user: Awaited<ReturnType<typeof registerUser>>, { body }: Reply): Promise<void> {
    const url = serviceUrl()
    const [method] = body.methods
    await call(url, 'POST', method.initiate, { token: user.token })
    const [mail] = await mailsTo(url, user.email)
    const { status } = await call(url, 'POST', method.verify, {
      token: user.token,
      json: { totp: codeIn(mail!) },
    })
    if (status !== 204) throw new Error(`not verified: ${status}`)
  }

  /** A user who has countersigned the transfer at the app. */
  async function countersigned(t: ExecutionContext, url: string) {
    const user = await registerUser(serviceUrl())
    const required = await transfer(url, user.userId)
    t.is(required.status, 401)
    await countersign(user, required)
    return { user, reference: referenceOf(required) }
  }

  test.serial(`${framework}: a first call is answered with a challenge, as RFC 9470 has it`, async (t) => {
    const app = await startApp(t)
    const { userId } = await registerUser(serviceUrl())

    const { status, headers, body } = await transfer(app.url, userId)

    t.is(status, 401)
    t.deepEqual(Object.keys(body).sort(), [
      'challengeId',
      'code',
      'expiresAt',
      'message',
      'methods',
      'signature',
    ])
    t.is(body.code, 'STEP_UP_REQUIRED')
    t.is(headers.get('plmr-mfa-challenge-id'), body.challengeId)
    t.is(headers.get('plmr-mfa-signature'), body.signature)
    t.regex(
      headers.get('WWW-Authenticate') ?? '',
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+"$/,
    )
    t.is(headers.get('Cache-Control'), 'no-store')
    t.deepEqual(app.made, [])
  })

  test.serial(
    `${framework}: the call with a countersigned challenge runs the operation, once for all its repeats`,
    async (t) => {
      const app = await startApp(t)
      const { user, reference } = await countersigned(t, app.url)

      const first = await transfer(app.url, user.userId, reference)
      const again = await transfer(app.url, user.userId, reference)

      t.is(first.status, 202)
      t.is(first.body.by, user.userId)
      t.is(first.headers.get('Location'), `/transfers/${reference['plmr-mfa-challenge-id']}`)
      t.is(again.status, 202)
      t.deepEqual(again.body, first.body)
      t.is(again.headers.get('Location'), first.headers.get('Location'))
      t.is(again.headers.get('Content-Type'), first.headers.get('Content-Type'))
      t.is(again.headers.get('X-App'), 'contract')
      t.deepEqual(app.made, [reference['plmr-mfa-challenge-id']])
    },
  )

  test.serial(
    `${framework}: a challenge id in upper case is the same challenge, which runs once`,
    async (t) => {
      const app = await startApp(t)
      const user = await registerUser(serviceUrl())
      const required = await transfer(app.url, user.userId)
      const reference = referenceOf(required)
      const id = reference['plmr-mfa-challenge-id']
      const inUpperCase = { ...reference, 'plmr-mfa-challenge-id': id.toUpperCase() }

      const early = await transfer(app.url, user.userId, inUpperCase)
      await countersign(user, required)
      const first = await transfer(app.url, user.userId, inUpperCase)
      const again = await transfer(app.url, user.userId, reference)

      t.deepEqual([early.status, early.body], [401, required.body])
      t.deepEqual([first.status, again.status], [202, 202])
      t.deepEqual(again.body, first.body)
      t.deepEqual(app.made, [id])
    },
  )

  test.serial(`${framework}: a response that was lost is there for the repeat`, async (t) => {
    const began = Promise.withResolvers<void>()
    const connectionLost = Promise.withResolvers<void>()
    const app = await startApp(t, {}, async () => {
      began.resolve()
      await connectionLost.promise
      return { status: 201, headers: {}, body: { transfer: 'the one' } }
    })
    const { user, reference } = await countersigned(t, app.url)

    const content = JSON.stringify(TRANSFER)
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
    socket.write(
      [
        'POST /transfers HTTP/1.1',
        'Host: app',
        'Content-Type: application/json',
        `Content-Length: ${content.length}`,
        `x-user: ${user.userId}`,
        ...Object.entries(reference).map((header) => header.join(': ')),
        '',
        content,
      ].join('\r\n'),
    )
    await began.promise
    const early = await transfer(app.url, user.userId, reference)
    socket.destroy()
    await once(socket, 'close')
    connectionLost.resolve()
    const repeat = await until(
      () => transfer(app.url, user.userId, reference),
      ({ status }) => status !== 409,
    )

    t.like(early, { status: 409, body: { code: 'OPERATION_UNDER_WAY' } })
    t.is(early.headers.get('Retry-After'), '1')
    t.like(repeat, { status: 201, body: { transfer: 'the one' } })
    t.is(app.made.length, 1)
  })

  test.serial(`${framework}: an answer that was streamed is replayed like any other`, async (t) => {
    const app = await startApp(t, {}, async () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: 'transferred – über alles',
      streamed: true,
    }))
    const { user, reference } = await countersigned(t, app.url)

    const first = await transfer(app.url, user.userId, reference)
    const again = await transfer(app.url, user.userId, reference)

    t.like(first, { status: 200, body: 'transferred – über alles' })
    t.like(again, { status: 200, body: 'transferred – über alles' })
    t.is(again.headers.get('Content-Type'), first.headers.get('Content-Type'))
    t.is(app.made.length, 1)
  })

  test.serial(`${framework}: of concurrent calls at two instances, one runs the operation`, async (t) => {
    const executions = new SingleProcessExecutions()
    const apps = [await startApp(t, { executions }), await startApp(t, { executions })]
    const { user, reference } = await countersigned(t, apps[0]!.url)

    const burst = await Promise.all(
      Array.from({ length: 8 }, (_, index) => transfer(apps[index % 2]!.url, user.userId, reference)),
    )

    const answered = burst.filter(({ status }) => status === 202)
    t.true(answered.length >= 1)
    t.is(new Set(answered.map(({ body }) => body.transfer)).size, 1)
    t.deepEqual(
      burst.filter(({ status }) => status !== 202 && status !== 409),
      [],
    )
    t.is(apps.flatMap(({ made }) => made).length, 1)
  })

  test.serial(
    `${framework}: an operation whose store was away when it should have begun runs at the repeat`,
    async (t) => {
      const executions = new SingleProcessExecutions()
      const app = await startApp(t, { executions })
      const { user, reference } = await countersigned(t, app.url)
      const away = await startApp(t, {
        executions: {
          beforeConsumption: (...args) => executions.beforeConsumption(...args),
          begin: () => Promise.reject(new Error('the store is away')),
          finish: async () => {},
          markNotKnown: async () => {},
          abandon: async () => {},
        },
      })

      const first = await transfer(away.url, user.userId, reference)
      const repeat = await transfer(app.url, user.userId, reference)

      t.is(first.status, 503)
      t.is(repeat.status, 202)
      t.deepEqual([away.made.length, app.made.length], [0, 1])
    },
  )

  test.serial(
    `${framework}: a process that may have forgotten an execution does not run it again`,
    async (t) => {
      const app = await startApp(t)
      const { user, reference } = await countersigned(t, app.url)
      await transfer(app.url, user.userId, reference)
      const restarted = await startApp(t)

      const repeat = await transfer(restarted.url, user.userId, reference)

      t.like(repeat, { status: 409, body: { code: 'OUTCOME_NOT_KNOWN' } })
      t.deepEqual(restarted.made, [])
    },
  )

  for (const [what, status, fail] of [
    ['throws', 500, () => raise(new Error('the ledger is away'))],
    ['throws a refusal of another service', undefined, () => raise(refusalOfAnother())],
    ['answers 500', 500, () => answered(500)],
    ['answers 502', 502, () => answered(502)],
    ['answers 503', 503, () => answered(503)],
    ['answers 408', 408, () => answered(408)],
    ['answers 499', 499, () => answered(499)],
  ] as readonly (readonly [string, number | undefined, () => AppAnswer])[]) {
    test.serial(
      `${framework}: a handler that ${what} after the transfer does not make it again`,
      async (t) => {
        const app = await startApp(t, {}, async () => fail())
        const { user, reference } = await countersigned(t, app.url)

        const first = await transfer(app.url, user.userId, reference)
        const repeats = [
          await transfer(app.url, user.userId, reference),
          await transfer(app.url, user.userId, reference),
        ]

        if (status !== undefined) {
          t.is(first.status, status)
          for (const repeat of repeats) t.like(repeat, { status: 409, body: { code: 'OUTCOME_NOT_KNOWN' } })
          t.deepEqual(
            app.refusals.map(({ code }) => code),
            ['OUTCOME_NOT_KNOWN', 'OUTCOME_NOT_KNOWN'],
          )
        }
        t.is(app.made.length, 1)
      },
    )
  }

  test.serial(`${framework}: a handler that says that nothing was done runs again`, async (t) => {
    const answers = [() => answered(503), () => raise(new Error('the ledger is away')), () => answered(422)]
    const app = await startApp(t, {}, async (stepUp) => {
      const answer = answers.shift()
      if (!answer) return answered(202)
      stepUp.nothingDone()
      return answer()
    })
    const { user, reference } = await countersigned(t, app.url)

    const statuses: number[] = []
    for (let call = 0; call < 5; call++) {
      statuses.push((await transfer(app.url, user.userId, reference)).status)
    }

    t.deepEqual(statuses, [503, 500, 422, 202, 202])
    t.is(app.made.length, 4)
  })

  test.serial(
    `${framework}: a refusal is an answer like any other, and its handler does not run again`,
    async (t) => {
      const app = await startApp(t, {}, async () => ({
        ...answered(422),
        body: { code: 'INSUFFICIENT_FUNDS' },
      }))
      const { user, reference } = await countersigned(t, app.url)

      const first = await transfer(app.url, user.userId, reference)
      const repeat = await transfer(app.url, user.userId, reference)

      t.like(first, { status: 422, body: { code: 'INSUFFICIENT_FUNDS' } })
      t.like(repeat, { status: 422, body: { code: 'INSUFFICIENT_FUNDS' } })
      t.is(app.made.length, 1)
    },
  )

  test.serial(
    `${framework}: an answer whose stream breaks leaves an outcome that nobody knows`,
    async (t) => {
      const lost: unknown[] = []
      const app = await startApp(t, { onNotRecorded: (_id, cause) => void lost.push(cause) }, async () => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain' },
        body: 'transferred',
        streamed: true,
        breaks: true,
      }))
      const { user, reference } = await countersigned(t, app.url)

      await transfer(app.url, user.userId, reference).catch(() => {})
      const repeat = await transfer(app.url, user.userId, reference)

      t.like(repeat, { status: 409, body: { code: 'OUTCOME_NOT_KNOWN' } })
      t.is(app.made.length, 1)
      t.is(lost.length, 1)
    },
  )

  test.serial(
    `${framework}: a handler that never answers is under way for a while, and then not known`,
    async (t) => {
      const never = Promise.withResolvers<AppAnswer>()
      const executions = new SingleProcessExecutions({ underWayForInMs: 200 })
      const app = await startApp(t, { executions }, () => never.promise)
      const { user, reference } = await countersigned(t, app.url)
      const patience = new AbortController()
      const first = fetch(`${app.url}/transfers`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'x-user': user.userId, ...reference },
        body: JSON.stringify(TRANSFER),
        signal: patience.signal,
      })
      await until(
        async () => app.made,
        (made) => made.length === 1,
      )
      patience.abort()
      await t.throwsAsync(first)

      const codes = new Set<string>()
      await until(
        async () => {
          const { body } = await transfer(app.url, user.userId, reference)
          codes.add(body.code)
          return body.code
        },
        (code) => code === 'OUTCOME_NOT_KNOWN',
      )

      t.true([...codes].every((code) => code === 'OPERATION_UNDER_WAY' || code === 'OUTCOME_NOT_KNOWN'))
      t.is(app.made.length, 1)
    },
  )

  test.serial(
    `${framework}: an answer that bypasses the framework leaves an outcome that nobody knows`,
    async (t) => {
      const executions = new SingleProcessExecutions({ underWayForInMs: 200 })
      const app = await startApp(t, { executions }, async () => ({ ...answered(204), bypasses: true }))
      const { user, reference } = await countersigned(t, app.url)

      const first = await transfer(app.url, user.userId, reference)
      const repeat = await until(
        () => transfer(app.url, user.userId, reference),
        ({ body }) => body.code !== 'OPERATION_UNDER_WAY',
      )

      t.is(first.status, 204)
      t.like(repeat, { status: 409, body: { code: 'OUTCOME_NOT_KNOWN' } })
      t.is(app.made.length, 1)
    },
  )

  test.serial(`${framework}: an answer that the store does not take is sent, and is told`, async (t) => {
    const executions = new SingleProcessExecutions({ underWayForInMs: 0 })
    executions.finish = () => Promise.reject(new Error('the store is away'))
    const told: unknown[] = []
    const app = await startApp(t, { executions, onNotRecorded: (...args) => void told.push(args) })
    const { user, reference } = await countersigned(t, app.url)

    const first = await transfer(app.url, user.userId, reference)
    const repeat = await until(
      () => transfer(app.url, user.userId, reference),
      ({ body }) => body.code !== 'OPERATION_UNDER_WAY',
    )

    t.is(first.status, 202)
    t.like(repeat, { status: 409, body: { code: 'OUTCOME_NOT_KNOWN' } })
    t.is(app.made.length, 1)
    t.like(told, [[reference['plmr-mfa-challenge-id'], { message: 'the store is away' }]])
  })

  test.serial(
    `${framework}: another amount than the countersigned one is refused, before and after the transfer`,
    async (t) => {
      const app = await startApp(t)
      const { user, reference } = await countersigned(t, app.url)
      const tampered = { ...TRANSFER, amount: 'EUR 9,250.00' }

      const before = await transfer(app.url, user.userId, reference, tampered)
      const asAgreed = await transfer(app.url, user.userId, reference)
      const after = await transfer(app.url, user.userId, reference, tampered)

      for (const refused of [before, after]) {
        t.like(refused, { status: 403, body: { code: 'OPERATION_DOES_NOT_MATCH_CHALLENGE' } })
        t.is(refused.headers.get('plmr-mfa-challenge-id'), null)
      }
      t.is(asAgreed.status, 202)
      t.is(app.made.length, 1)
      t.like(app.refusals[0], {
        code: 'OPERATION_DOES_NOT_MATCH_CHALLENGE',
        subjectUserId: user.userId,
        challengeId: reference['plmr-mfa-challenge-id'],
      })
    },
  )

  test.serial(
    `${framework}: an approval of one user is of no use to another, and is still the first one's`,
    async (t) => {
      const app = await startApp(t)
      const mallory = await registerUser(serviceUrl())
      const alice = await registerUser(serviceUrl())
      const required = await transfer(app.url, alice.userId)

      const unverified = await transfer(app.url, mallory.userId, referenceOf(required))
      await countersign(alice, required)
      const stolen = await transfer(app.url, mallory.userId, referenceOf(required))
      const own = await transfer(app.url, alice.userId, referenceOf(required))
      const replayed = await transfer(app.url, mallory.userId, referenceOf(required))

      for (const refused of [unverified, stolen, replayed]) {
        t.like(refused, { status: 403, body: { code: 'SUBJECT_DOES_NOT_MATCH_CHALLENGE' } })
      }
      t.is(own.status, 202)
      t.is(app.made.length, 1)
    },
  )

  test.serial(
    `${framework}: a challenge that is not verified yet is named again, not replaced`,
    async (t) => {
      const app = await startApp(t)
      const { userId } = await registerUser(serviceUrl())
      const required = await transfer(app.url, userId)

      const early = await transfer(app.url, userId, referenceOf(required))

      t.is(early.status, 401)
      t.deepEqual(early.body, required.body)
      t.deepEqual(app.made, [])
    },
  )

  test.serial(
    `${framework}: a challenge that is over is replaced, also for a caller who names the call`,
    async (t) => {
      const app = await startApp(t)
      const named = { 'Idempotency-Key': 'my transfer' }
      const user = await registerUser(serviceUrl())
      const required = await transfer(app.url, user.userId, named)
      await (await client()).cancelChallenge(required.body.challengeId)

      const withReference = await transfer(app.url, user.userId, { ...named, ...referenceOf(required) })
      const withoutReference = await transfer(app.url, user.userId, named)
      await countersign(user, withReference)
      const done = await transfer(app.url, user.userId, { ...named, ...referenceOf(withReference) })

      t.is(withReference.status, 401)
      t.not(withReference.body.challengeId, required.body.challengeId)
      t.is(withoutReference.body.challengeId, withReference.body.challengeId)
      t.is(done.status, 202)
    },
  )

  test.serial(
    `${framework}: a named call opens one challenge, and each user has names of their own`,
    async (t) => {
      const app = await startApp(t)
      const named = { 'plmr-idempotency-key': 'transfer-1' }
      const [alice, bob] = [await registerUser(serviceUrl()), await registerUser(serviceUrl())]

      const first = await transfer(app.url, alice.userId, named)
      const again = await transfer(app.url, alice.userId, named)
      const ofBob = await transfer(app.url, bob.userId, named)
      const reused = await transfer(app.url, alice.userId, named, { ...TRANSFER, to: 'Mallory' })

      t.deepEqual(again.body, first.body)
      t.is(ofBob.status, 401)
      t.not(ofBob.body.challengeId, first.body.challengeId)
      t.like(reused, { status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
    },
  )

  test.serial(`${framework}: an expired challenge is replaced`, async (t) => {
    const real = await client()
    const app = await startApp(t, {
      client: {
        jwksUrl: real.jwksUrl,
        inspectChallenge: (...args) => real.inspectChallenge(...args),
        consumeChallenge: (...args) => real.consumeChallenge(...args),
        openChallenge: (demand, options) => real.openChallenge({ ...demand, expiresInSeconds: 1 }, options),
      },
    })
    const { userId } = await registerUser(serviceUrl())
    const required = await transfer(app.url, userId)

    const later = await until(
      () => transfer(app.url, userId, referenceOf(required)),
      ({ body }) => body.challengeId !== required.body.challengeId,
    )

    t.is(later.status, 401)
    t.deepEqual(app.made, [])
  })

  test.serial(`${framework}: nothing runs while Countersign is away`, async (t) => {
    const app = await startApp(t)
    const { user, reference } = await countersigned(t, app.url)
    const away = await startApp(t, {
      client: new CountersignClient({
        baseUrl: 'http://127.0.0.1:1',
        accessToken: () => 'token',
        retries: 0,
      }),
    })

    for (const headers of [{}, reference]) {
      const refused = await transfer(away.url, user.userId, headers)
      t.like(refused, { status: 503, body: { code: 'STEP_UP_UNAVAILABLE' } })
      t.regex(refused.headers.get('Retry-After') ?? '', /^\d+$/)
    }
    t.deepEqual(away.made, [])
  })

  test.serial(`${framework}: an approval that the keys do not vouch for runs nothing`, async (t) => {
    const app = await startApp(t, { jwks: { keys: [] } })
    const other = await startApp(t, { clientId: 'somebody-else' })
    const { user, reference } = await countersigned(t, app.url)

    for (const { url } of [app, other]) {
      t.is((await transfer(url, user.userId, reference)).status, 503)
    }
    t.deepEqual([...app.made, ...other.made], [])
    t.like(app.refusals[0]?.cause, { name: 'AuthorisationRefused' })
  })

  test.serial(`${framework}: what cannot be countersigned is the caller's mistake`, async (t) => {
    const app = await startApp(t)
    const { userId } = await registerUser(serviceUrl())
    const id = randomUUID()

    const references: Record<string, string>[] = [
      { 'plmr-mfa-challenge-id': id },
      { 'plmr-mfa-signature': 'a.b.c' },
      { 'plmr-mfa-challenge-id': '..', 'plmr-mfa-signature': 'a.b.c' },
      { 'plmr-mfa-challenge-id': id.replaceAll('-', ''), 'plmr-mfa-signature': 'a.b.c' },
    ]
    for (const reference of references) {
      const refused = await transfer(app.url, userId, reference)
      t.like(refused, { status: 400, body: { code: 'CHALLENGE_REFERENCE_NOT_VALID' } })
    }
    const unknown = { 'plmr-mfa-challenge-id': id, 'plmr-mfa-signature': 'a.b.c' }
    t.like(await transfer(app.url, userId, unknown), { status: 401, body: { code: 'STEP_UP_REQUIRED' } })
    const unreadable = await transfer(app.url, userId, {}, { ...TRANSFER, to: 'ACME\nGmbH' })
    t.like(unreadable, { status: 400, body: { code: 'OPERATION_NOT_VALID' } })
    const halved = await transfer(app.url, userId, {}, { ...TRANSFER, to: '\ud800' })
    t.like(halved, { status: 400, body: { code: 'OPERATION_NOT_VALID' } })
    const nobody = await transfer(app.url, undefined)
    t.like(nobody, { status: 401, body: { code: 'UNAUTHORIZED' } })
    t.deepEqual(app.made, [])
  })

  for (const [what, operation, cause] of [
    ['throws an error', () => raise(new RangeError('no such account')), { message: 'no such account' }],
    ['throws null', () => raise(null), { message: 'The function operation threw null' }],
    ['rejects', async () => raise(new RangeError('no such account')), { message: 'no such account' }],
    ['returns nothing', () => undefined, { name: 'ZodError' }],
    [
      'returns no lines to read',
      () => ({ type: 'payments.initiate', request: TRANSFER, summary: [] }),
      { code: 'BAD_REQUEST' },
    ],
  ] as readonly (readonly [string, () => unknown, object])[]) {
    test.serial(
      `${framework}: an operation that ${what} is OPERATION_NOT_VALID, and onRefused learns why`,
      async (t) => {
        const app = await startApp(t, { operation: operation as App['operation'] })
        const { userId } = await registerUser(serviceUrl())

        const refused = await transfer(app.url, userId)

        t.is(refused.status, 400)
        t.deepEqual(Object.keys(refused.body), ['code', 'message'])
        t.is(refused.body.code, 'OPERATION_NOT_VALID')
        t.is(refused.headers.get('Cache-Control'), 'no-store')
        t.deepEqual(app.made, [])
        t.is(app.refusals.length, 1)
        t.like(app.refusals[0], { code: 'OPERATION_NOT_VALID', subjectUserId: userId })
        t.like(app.refusals[0]?.cause, cause)
      },
    )
  }

  test.serial(
    `${framework}: nobody's request is UNAUTHORIZED, whatever its operation throws on`,
    async (t) => {
      const app = await startApp(t, { operation: () => raise(new Error('no user')) })

      t.like(await transfer(app.url, undefined), { status: 401, body: { code: 'UNAUTHORIZED' } })
    },
  )

  test.serial(
    `${framework}: an operation that throws at the repeat does not use up the approval`,
    async (t) => {
      let fails = false
      const app = await startApp(t, {
        operation: ({ body }) => {
          if (fails) throw new Error('the database is away')
          const { amount, to } = body as Transfer
          return { type: 'payments.initiate', request: { amount, to }, summary: [{ label: 'To', value: to }] }
        },
      })
      const { user, reference } = await countersigned(t, app.url)

      fails = true
      const refused = await transfer(app.url, user.userId, reference)
      fails = false
      const done = await transfer(app.url, user.userId, reference)

      t.like(refused, { status: 400, body: { code: 'OPERATION_NOT_VALID' } })
      t.is(app.refusals[0]?.challengeId, reference['plmr-mfa-challenge-id'])
      t.is(done.status, 202)
      t.is(app.made.length, 1)
    },
  )

  for (const [what, headers, body] of [
    ['without a body', {}, undefined],
    ['with an empty body', { 'Content-Type': 'application/json' }, '{}'],
    ['with a list', { 'Content-Type': 'application/json' }, '[]'],
  ] as const) {
    test.serial(`${framework}: a request ${what} is OPERATION_NOT_VALID`, async (t) => {
      const app = await startApp(t, {
        operation: (request) => {
          const { amount, to } = request.body as Transfer
          return {
            type: 'payments.initiate',
            request: { amount, to },
            summary: [{ label: 'Amount', value: amount }],
          }
        },
      })
      const { userId } = await registerUser(serviceUrl())

      const response = await fetch(`${app.url}/transfers`, {
        method: 'POST',
        headers: { 'x-user': userId, ...headers },
        ...(body !== undefined && { body }),
      })

      t.is(response.status, 400)
      t.is(((await response.json()) as { code: string }).code, 'OPERATION_NOT_VALID')
      t.is(app.refusals.length, 1)
      t.truthy(app.refusals[0]?.cause)
      t.deepEqual(app.made, [])
    })
  }
}

const answered = (status: number): AppAnswer => ({ status, headers: {}, body: { status } })

/** As HTTP clients throw it: a framework may answer with its status. */
function refusalOfAnother(): Error {
  return Object.assign(new Error('Request failed with status code 404'), { status: 404, statusCode: 404 })
}

function raise(thrown: unknown): never {
  throw thrown
}
