import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { lint, loadConfig } from '@redocly/openapi-core'
import test from 'ava'
import { pino } from 'pino'
import { createContainer } from '../../src/composition/container.ts'
import { Routes } from '../../src/composition/container-keys.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { createDevelopment } from '../../src/development/development.ts'
import type { DevelopmentKeys } from '../../src/development/development-keys.ts'
import { apiDocument, DOCUMENT } from '../../tools/openapi/document.ts'
import { ApiDocument, type Content, type Operation } from '../support/api-document.ts'

const api = ApiDocument.read()

const SEED = Buffer.alloc(32, 7).toString('base64')
const KEYS: DevelopmentKeys = {
  otpKey: SEED,
  signingKey: SEED,
  issuerKey: generateKeyPairSync('ed25519').privateKey.export({
    format: 'jwk',
  }) as DevelopmentKeys['issuerKey'],
}

const operations = Object.entries(api.document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)

test('openapi.json is what the schemas make (npm run openapi:build)', async (t) => {
  // Not `is`, which would print all of both.
  t.true((await readFile(DOCUMENT, 'utf8')) === (await apiDocument()))
})

test('the linter finds nothing', async (t) => {
  const config = await loadConfig({
    configPath: fileURLToPath(new URL('../../redocly.yaml', import.meta.url)),
  })

  const problems = await lint({ ref: fileURLToPath(DOCUMENT), config })

  t.deepEqual(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
    [],
  )
})

test('no sentence of the document has more than 25 words', (t) => {
  const long: string[] = []
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    for (const [name, value] of Object.entries(node)) {
      if (['description', 'message', 'summary'].includes(name) && typeof value === 'string') {
        const sentences = value.split(/(?<=[.:;?])\s+|\n(?=[\n-])/)
        long.push(...sentences.filter((sentence) => sentence.split(/\s+/).length > 25))
      } else visit(value)
    }
  }

  visit(api.document)

  t.deepEqual(long, [])
})

test('every route of the service is documented, and no other', (t) => {
  const config = readConfig({ POSTMARK_WEBHOOK_AUTH: 'postmark:correct-horse-battery' })
  const container = createContainer({
    config,
    databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
    development: createDevelopment(config, KEYS),
    logger: pino({ level: 'silent' }),
    deliverer: { name: 'deliverer', wake: () => {}, problem: async () => undefined },
    instanceId: 'test',
    requests: new Int32Array(new SharedArrayBuffer(4)),
  })

  const routes = container
    .getAll(Routes)
    .flatMap(({ stack }) => stack)
    .flatMap(({ methods, path }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map(
          (method) =>
            `${method} ${String(path)
              .replaceAll(/(?<!\\):(\w+)/g, '{$1}')
              .replaceAll('\\', '')}`,
        ),
    )

  t.deepEqual(routes.toSorted(), operations.map(({ method, path }) => `${method} ${path}`).toSorted())
})

test('tools that need a host find one first, and the server that the document comes from after it', (t) => {
  t.deepEqual(
    api.document.servers.map(({ url }) => url),
    ['http://127.0.0.1:3000', '/'],
  )
})

test('what a mail was sent with is a list of anything, if it is a list', (t) => {
  const schemas = api.document.components.schemas as Record<string, { properties: { Metadata: object } }>

  for (const report of ['Delivery', 'Bounce', 'SpamComplaint', 'SubscriptionChange']) {
    t.like(schemas[report]!.properties.Metadata, { items: {} }, report)
  }
})

test('the seed operations keep their ids', (t) => {
  const idOf = (action: string) =>
    api.document.paths[`/internal/v1/mfa/totp-email/{challengeId}:${action}`]?.post?.operationId

  t.is(idOf('initiate'), 'initiateEmail')
  t.is(idOf('verify'), 'verifyEmail')
})

test('every body has an example, and every example is as its schema has it', (t) => {
  let examples = 0
  for (const { operation } of operations) {
    for (const content of contentsOf(operation)) {
      for (const [type, { schema, examples: bodies = {} }] of Object.entries(content)) {
        if (type !== 'application/json' || operation.operationId === 'readApiDocument') continue
        t.not(Object.keys(bodies).length, 0, operation.operationId)
        for (const [name, { value }] of Object.entries(bodies)) {
          t.deepEqual(api.faultsOfValue(schema, value), [], `${operation.operationId}: ${name}`)
          examples++
        }
      }
    }
  }
  t.true(examples > 100)
})

test('every example of a schema or a parameter is as the schema has it', (t) => {
  let examples = 0
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    const { examples: values, example, schema } = node as Record<string, unknown>
    for (const value of Array.isArray(values) ? values : []) {
      t.deepEqual(api.faultsOfValue(node, value), [], JSON.stringify(node))
      examples++
    }
    if (example !== undefined) {
      t.deepEqual(api.faultsOfValue(schema as object, example), [])
      examples++
    }
    Object.values(node).forEach(visit)
  }

  visit(api.document)

  t.true(examples > 20)
})

test('every object of a body is closed, but for what Postmark sends and this document itself', (t) => {
  const open: string[] = []
  const visit = (node: unknown, at: string) => {
    if (typeof node !== 'object' || node === null) return
    const { type, additionalProperties } = node as Record<string, unknown>
    if (type === 'object' && additionalProperties === undefined) open.push(at)
    for (const [name, child] of Object.entries(node)) visit(child, `${at}/${name}`)
  }
  const { Delivery, Bounce, SpamComplaint, SubscriptionChange, OtherReport, ...ours } =
    api.document.components.schemas!
  visit(ours, '')
  for (const { path, operation } of operations) if (path !== '/openapi.json') visit(operation, path)

  t.deepEqual(open, [])
})

test('every answer has an id for its request, and says whether it may be kept', (t) => {
  for (const { operation } of operations) {
    for (const answer of Object.values(operation.responses)) {
      const { headers = {} } = api.resolve(answer)
      for (const name of ['X-Request-ID', 'Cache-Control', 'X-Content-Type-Options']) {
        t.true(headers[name] && api.resolve(headers[name]).required, `${operation.operationId} ${name}`)
      }
    }
  }
})

test('what the published contract leaves open is marked as our choice in each answer of its operations, and nowhere else', (t) => {
  const choices = operations.flatMap(({ operation }) =>
    Object.entries(operation.responses).flatMap(([status, answer]) => {
      const { 'x-countersign-choice': choice } = api.resolve(answer) as { 'x-countersign-choice'?: string }
      return choice ? [[operation.operationId, status, choice] as const] : []
    }),
  )

  for (const id of ['initiateEmail', 'verifyEmail']) {
    const { operation } = operations.find((each) => each.operation.operationId === id)!
    t.deepEqual(
      choices.filter(([each]) => each === id).map(([, status]) => status),
      Object.keys(operation.responses),
    )
  }
  t.deepEqual([...new Set(choices.map(([id]) => id))], ['initiateEmail', 'verifyEmail'])
  const given = (id: string) =>
    choices
      .filter(([each, , choice]) => each === id && choice.includes('names this status'))
      .map(([, status]) => status)
  t.deepEqual(given('initiateEmail'), ['400', '500'])
  t.deepEqual(given('verifyEmail'), ['400', '410', '500'])
})

test('the step-up operations have nine of the ten published codes, and the unmatched request has the tenth', (t) => {
  const codes = new Set(
    operations
      .filter(({ path }) => path.startsWith('/internal/v1/mfa/totp-email/'))
      .flatMap(({ operation }) => Object.values(operation.responses))
      .flatMap(
        (answer) => JSON.stringify(api.resolve(answer).content ?? {}).match(/mfa-totp:api:\w+/g) ?? [],
      ),
  )

  t.deepEqual([...codes].map((code) => code.replace('mfa-totp:api:', '')).toSorted(), [
    'BAD_REQUEST',
    'CHALLENGE_NOT_FOUND',
    'FORBIDDEN',
    'INTERNAL_SERVER_ERROR',
    'INVALID_OTP',
    // The code of a field, not of an answer.
    'NOT_BLANK',
    'STEP_UP_REQUEST_CONTEXT_NOT_FOUND',
    'UNAUTHORIZED',
    'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
    'USER_NOT_FOUND',
  ])
  t.true(JSON.stringify(api.document['x-countersign-unmatched']).includes('mfa-totp:api:RESOURCE_UNKNOWN'))
})

function contentsOf({ requestBody, responses }: Operation): readonly Content[] {
  const answers = Object.values(responses).map((answer) => api.resolve(answer).content ?? {})
  return requestBody ? [requestBody.content, ...answers] : answers
}
