import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { CountersignClient, CountersignError, type Demand, methodsOf } from '../../packages/kit/src/client.ts'
import { ANSWERED_CODES, FIELD_CODES } from '../../packages/kit/src/countersign-error.ts'
import { listening } from '../http/listening.ts'
import { ApiDocument, type Content } from '../support/api-document.ts'

const api = ApiDocument.read()
const CHALLENGE_ID = '0197a000-0000-7000-8000-0000000000c1'
const OF_USER = { accessToken: 'token-of-user' }
const DEMAND: Demand = {
  subjectUserId: 'alice',
  operation: {
    type: 'payments.initiate',
    digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
  },
}

/** Every call of the client, with the operation of the document that it is. */
const CALLS: Readonly<Record<string, (client: CountersignClient) => Promise<unknown>>> = {
  openChallenge: (client) => client.openChallenge({ ...DEMAND, expiresInSeconds: 900 }),
  readChallenge: (client) => client.inspectChallenge(CHALLENGE_ID),
  consumeChallenge: (client) =>
    client.consumeChallenge(CHALLENGE_ID, { signature: 'a.b.c', digest: DEMAND.operation.digest }),
  cancelChallenge: (client) => client.cancelChallenge(CHALLENGE_ID),
  putUser: (client) =>
    client.putUser('alice', { email: 'alice@example.com', locale: 'de', displayName: 'A' }),
  readUser: (client) => client.findUser('alice'),
  eraseUser: (client) => client.eraseUser('alice'),
  liftSuppression: (client) => client.liftSuppression('alice'),
  initiateEmail: (client) => client.initiateEmail(CHALLENGE_ID, OF_USER),
  putWebhook: (client) => client.putWebhook('payments', { url: 'https://payments.bank.example/events' }),
  readWebhook: (client) => client.findWebhook('payments'),
  removeWebhook: (client) => client.removeWebhook('payments'),
  rotateWebhookSecret: (client) => client.rotateWebhookSecret('payments', { keepPrevious: false }),
  readServiceEvents: (client) => client.readServiceEvents({ after: 4711, limit: 200 }),
  verifyEmail: (client) => client.verifyEmail(CHALLENGE_ID, '042917', OF_USER),
}

interface Documented {
  readonly status: number
  readonly body: Record<string, unknown> | undefined
}

/** The examples of the successful answers of an operation. */
function successesOf(operationId: string): readonly Documented[] {
  const operation = Object.values(api.document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((one) => one.operationId === operationId)!
  return Object.entries(operation.responses)
    .filter(([status]) => Number(status) < 300)
    .flatMap(([status, answer]): readonly Documented[] => {
      const { content } = api.resolve(answer) as { content?: Content }
      const examples = Object.values(content?.['application/json']?.examples ?? {})
      if (!content) return [{ status: Number(status), body: undefined }]
      return examples.map(({ value }) => ({ status: Number(status), body: value as Record<string, unknown> }))
    })
}

/** A client of a server that gives this answer, and what that server finds wrong with what it is asked. */
async function clientAnswered(t: ExecutionContext, operationId: string, { status, body }: Documented) {
  const faults: string[] = []
  const server = createServer(async (request, response) => {
    const exchange = {
      method: request.method!,
      path: request.url!,
      request: {
        headers: new Headers(request.headers as Record<string, string>),
        body: (await text(request)) || undefined,
      },
      response: { status, headers: new Headers(), body: '' },
    }
    const found = api.operationOf(exchange)?.operationId
    if (found !== operationId) faults.push(`it is a call of ${found}`)
    // What is wrong with the answer of this server is no matter here.
    faults.push(...api.faultsOf(exchange).filter((fault) => !/^the header | of the answer/.test(fault)))
    if (body) response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    else response.writeHead(status).end()
  })
  const baseUrl = await listening(t, server)
  return { client: new CountersignClient({ baseUrl, accessToken: () => 'token', retries: 0 }), faults }
}

for (const [operationId, call] of Object.entries(CALLS)) {
  test(`${operationId} is asked for as the document has it, and its answers come through whole`, async (t) => {
    const successes = successesOf(operationId)
    t.true(successes.length > 0)

    for (const documented of successes) {
      const { client, faults } = await clientAnswered(t, operationId, documented)
      const got = await call(client)

      t.deepEqual(faults, [])
      const created = operationId === 'openChallenge' ? { created: documented.status === 201 } : {}
      t.deepEqual(got, documented.body && { ...documented.body, ...created })
    }
  })

  test(`an answer to ${operationId} that lacks what the document promises is not taken`, async (t) => {
    for (const documented of successesOf(operationId)) {
      const schema = schemaOf(operationId, documented.status)
      for (const name of schema?.required ?? []) {
        const { [name]: _, ...rest } = documented.body!
        const { client } = await clientAnswered(t, operationId, { ...documented, body: rest })
        await t.throwsAsync(call(client), { instanceOf: CountersignError, code: 'UNEXPECTED' })
      }
    }
    t.pass()
  })
}

test('what the document has as optional comes through as well', async (t) => {
  const { Issuance, User } = api.document.components.schemas as Record<string, { properties: object }>
  const instant = '2030-01-01T12:00:00.000Z'
  const documented = successesOf('readChallenge').find(({ body }) => body!.issuance)!
  const times = Object.keys(Issuance!.properties).filter((name) => name.endsWith('At'))
  const issuance = {
    ...(documented.body!.issuance as object),
    ...Object.fromEntries(times.map((name) => [name, instant])),
  }
  const body = { ...documented.body, issuance }
  const user = Object.fromEntries(Object.keys(User!.properties).map((name) => [name, 'text']))

  const ofChallenge = await clientAnswered(t, 'readChallenge', { status: 200, body })
  const ofUser = await clientAnswered(t, 'readUser', { status: 200, body: user })

  t.deepEqual<unknown, unknown>(Object.keys(issuance).sort(), Object.keys(Issuance!.properties).sort())
  t.deepEqual(await CALLS.readChallenge!(ofChallenge.client), body)
  t.deepEqual(await CALLS.readUser!(ofUser.client), user)
})

test('the client has every call of an operation service and of a back end for its users but the audit trail and the calls of the support', (t) => {
  const operations = Object.entries(api.document.paths)
    .filter(([path]) => path.startsWith('/internal/'))
    .flatMap(([, methods]) => Object.values(methods))
    .filter(({ tags }) => !tags.includes('Support'))
    .map(({ operationId }) => operationId)

  t.deepEqual(Object.keys(CALLS).concat('readEvents').sort(), operations.sort())
})

test('the codes of the client are those of the document, neither more nor fewer', (t) => {
  const codes = new Set<string>()
  const collect = (value: unknown) => {
    const urn =
      typeof value === 'string' ? /^urn:plmr:mfa-(?:totp|challenge):api:([A-Z_]+)$/.exec(value) : null
    if (urn) codes.add(urn[1]!)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
  }

  collect(api.document)

  t.deepEqual([...codes].sort(), [...ANSWERED_CODES, ...FIELD_CODES].sort())
})

test('the paths that a challenge is named again with are those that the service tells', (t) => {
  const [opened] = successesOf('openChallenge')

  t.deepEqual(methodsOf(opened!.body!.challengeId as string) as unknown, opened!.body!.methods)
})

function schemaOf(operationId: string, status: number): { required?: readonly string[] } | undefined {
  const operation = Object.values(api.document.paths)
    .flatMap((methods) => Object.values(methods))
    .find((one) => one.operationId === operationId)!
  const { content } = api.resolve(operation.responses[status]!) as { content?: Content }
  const schema = content?.['application/json']?.schema as { $ref?: string; required?: string[] } | undefined
  const name = /^schema:(.+)$/.exec(schema?.$ref ?? '')?.[1]
  return name ? (api.document.components.schemas![name] as { required?: string[] }) : schema
}
