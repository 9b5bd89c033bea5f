import test from 'ava'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { ApiDocument, type Operation } from '../support/api-document.ts'
import type { CallInit } from '../support/http-call.ts'
import { edge, isError, WEBHOOK_AUTH } from './edge.ts'

/*
 * What any operation may answer, asked of each that documents it, with the request that the document gives as its example.
 */

const api = ApiDocument.read()

const USER = 'user.alice'
const SERVICE = [
  'client.payments',
  ...[
    'challenges_create',
    'challenges_consume',
    'audit_read',
    'users_read',
    'users_write',
    'users_export',
    'support_read',
    'support_write',
    'webhooks_write',
    'events_read',
  ].map((scope) => `mfa_${scope}`),
].join('.')

interface Case {
  readonly operation: Operation
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly json: unknown
  readonly scheme: string | undefined
  readonly family: 'totp' | 'challenge'
}

const cases: readonly Case[] = Object.entries(api.document.paths)
  .filter(([template]) => !template.startsWith('/dev/'))
  .flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => caseOf(template, method, operation)),
  )

function caseOf(template: string, method: string, operation: Operation): Case {
  const parameters = (operation.parameters ?? [])
    .map((parameter) => api.resolve(parameter))
    .map(({ in: place, name, required, example, schema }) => {
      const [first] = (schema as { examples?: unknown[] }).examples ?? []
      return { place, name, required, value: String(example ?? first) }
    })
  const inPath = parameters.filter(({ place }) => place === 'path')
  const inQuery = parameters.filter(({ place, required }) => place === 'query' && required)
  const content = operation.requestBody?.content['application/json']
  const [example] = Object.values(content?.examples ?? {})
  return {
    operation,
    method: method.toUpperCase(),
    path: [
      inPath.reduce((path, { name, value }) => path.replace(`{${name}}`, value), template),
      ...inQuery.map(({ name, value }, n) => `${n === 0 ? '?' : '&'}${name}=${value}`),
    ].join(''),
    headers: Object.fromEntries(
      parameters.filter(({ name }) => name.startsWith('plmr-')).map(({ name, value }) => [name, value]),
    ),
    json: example?.value,
    scheme: Object.keys(operation.security?.[0] ?? {})[0],
    family: /^\/(?:webhooks|internal\/v1\/mfa\/(?:challenges|users|webhooks|events))\b/.test(template)
      ? 'challenge'
      : 'totp',
  }
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  userToken: `Bearer ${USER}`,
  serviceToken: `Bearer ${SERVICE}`,
  mailSystem: `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}`,
}

/** The request of the example, as whoever may make it. */
const good = ({ headers, json, scheme }: Case): CallInit => ({
  headers: { ...headers, ...(scheme && { Authorization: CREDENTIALS[scheme]! }) },
  ...(json === undefined ? {} : { json }),
})

const documenting = (status: number) => cases.filter(({ operation }) => status in operation.responses)

for (const each of documenting(401)) {
  test(`${each.operation.operationId} without credentials is UNAUTHORIZED`, async (t) => {
    const { call } = await edge(t)
    const { headers, ...rest } = good(each)
    const { Authorization: _, ...others } = headers!

    isError(t, await call(each.method, each.path, { ...rest, headers: others }), 401, 'UNAUTHORIZED', each)
  })
}

for (const each of documenting(403)) {
  // Both kinds may read and cancel, but no token that lacks what the operator demands of users.
  const forBoth = (each.operation.security?.length ?? 0) > 1
  test(`${each.operation.operationId} with a token ${forBoth ? 'that lacks something' : 'of the other kind'} is FORBIDDEN`, async (t) => {
    const { call } = await edge(t)
    const otherKind = each.scheme === 'userToken' ? SERVICE : USER
    const token = forBoth ? 'poor-user.alice' : otherKind
    const init = { ...good(each), headers: { ...each.headers, Authorization: `Bearer ${token}` } }

    isError(t, await call(each.method, each.path, init), 403, 'FORBIDDEN', each)
  })
}

for (const each of documenting(413)) {
  test(`${each.operation.operationId} with a body that is too large, or not JSON, is refused`, async (t) => {
    const { call } = await edge(t)
    const { headers } = good(each)
    const ask = (body: string, type: string) =>
      call(each.method, each.path, { headers: { ...headers, 'Content-Type': type }, body })

    isError(t, await ask(' '.repeat(65 * 1024), 'application/json'), 413, 'BAD_REQUEST', each)
    isError(t, await ask('{}', 'text/plain'), 415, 'BAD_REQUEST', each)
  })
}

/** The report of readiness, which says what is wrong, and the documentation. */
const NEED_NO_STORE = /^\/(?:readyz|openapi\.json|docs)/

for (const each of documenting(503).filter(({ path }) => !NEED_NO_STORE.test(path))) {
  test(`${each.operation.operationId} on a broken store is a 500, and on one that is away a 503`, async (t) => {
    const { call, store } = await edge(t)
    const failing = (error: Error) => {
      const { events: _, ...ports } = store
      for (const port of Object.values(ports)) failEverything(port, error)
      return call(each.method, each.path, good(each))
    }

    isError(t, await failing(new TypeError('broken')), 500, 'INTERNAL_SERVER_ERROR', each)
    isError(t, await failing(new StorageUnavailable('gone')), 503, 'INTERNAL_SERVER_ERROR', each)
  })
}

/** Whatever it is asked from now on, it rejects. */
function failEverything(port: object, error: Error): void {
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(port))) {
    if (name === 'constructor') continue
    Object.defineProperty(port, name, {
      value: () => Promise.reject(error),
      configurable: true,
      writable: true,
    })
  }
}
