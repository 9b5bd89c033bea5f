import fc from 'fast-check'
import type { Operation } from '../../test/support/api-document.ts'
import { WEBHOOK_AUTH } from './fuzzed-service.ts'
import type { Palette } from './palette.ts'
import type { FuzzRequest } from './request.ts'
import { validValues } from './valid-values.ts'
import type { Scene, World } from './world.ts'

/** A request in the parts that the document describes. */
export interface Draft {
  readonly operation: Operation
  readonly template: string
  readonly method: string
  /** Encoded, as in the path. */
  readonly inPath: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for no body. */
  readonly json: unknown
}

/** Valid requests by the document, most of them about something that exists. */
export function rightDrafts(palette: Palette, world: World): fc.Arbitrary<Draft> {
  return fc.oneof(
    ...Object.entries(palette.api.document.paths).flatMap(([template, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        weight: WEIGHTS[operation.operationId] ?? 2,
        arbitrary: draftsOf(palette, world, { operation, template, method: method.toUpperCase() }),
      })),
    ),
  )
}

export const rightRequests = (palette: Palette, world: World): fc.Arbitrary<FuzzRequest> =>
  fc.tuple(rightDrafts(palette, world), fc.boolean()).map(([draft, chunked]) => ({
    ...{ kind: 'right' as const, wrong: 'nothing' },
    ...partsOf(draft),
    chunked,
  }))

/** Builds the request from its parts. */
export function partsOf({ template, method, inPath, query, headers, json }: Draft) {
  const search = new URLSearchParams(query).toString()
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name) => inPath[name]!)
  return {
    method,
    target: search === '' ? path : `${path}?${search}`,
    headers: Object.entries(headers),
    body: json === undefined ? undefined : Buffer.from(JSON.stringify(json)),
  }
}

/** Operations that do more are called more often. */
const WEIGHTS: Readonly<Record<string, number>> = {
  initiateEmail: 6,
  verifyEmail: 10,
  openChallenge: 10,
  readChallenge: 5,
  consumeChallenge: 10,
  cancelChallenge: 3,
  putUser: 5,
  reportMail: 6,
  readDevelopmentMailbox: 1,
}

/** Parts of a request that belong together and concern something that exists. */
type RealParts = Partial<Pick<Draft, 'inPath' | 'query' | 'headers'>> & { readonly json?: object }

function draftsOf(
  palette: Palette,
  world: World,
  what: Pick<Draft, 'operation' | 'template' | 'method'>,
): fc.Arbitrary<Draft> {
  const { operation } = what
  const parameters = (operation.parameters ?? []).map((parameter) => palette.api.resolve(parameter))
  const texts = (place: 'path' | 'query' | 'header') => {
    const here = parameters.filter((parameter) => parameter.in === place)
    const textsOf = (schema: object) => {
      if (place === 'header') return inHeader(palette, schema)
      return place === 'query' ? validValues(palette, schema).map(String) : palette.texts(schema)
    }
    const values = here.map(({ name, schema }) => [name, textsOf(schema)])
    const requiredKeys = here.filter(({ required }) => required).map(({ name }) => name)
    return fc.record(Object.fromEntries(values), { requiredKeys }) as fc.Arbitrary<Record<string, string>>
  }
  const schema = operation.requestBody?.content['application/json']?.schema
  const made = fc.record({
    inPath: texts('path').map(encoded),
    query: texts('query'),
    headers: texts('header'),
    json: schema ? validValues(palette, schema) : fc.constant(undefined),
  })
  return fc
    .record({
      made,
      real: fc.option(
        fc.constantFrom(...world.scenes).chain((scene) => realParts(operation, world, scene)),
        {
          freq: 8,
          nil: {} as RealParts,
        },
      ),
      scene: fc.constantFrom(...world.scenes),
      credentials: fc.nat(),
      // Always set, so that no answer is mistaken for the answer to another request.
      requestId: fc.oneof(fc.uuid(), palette.texts({ pattern: '^[A-Za-z0-9._-]{1,128}$' })),
    })
    .map(({ made, real, scene, credentials, requestId }) => {
      const authorization = authorizationFor(operation, world, scene, credentials)
      return {
        ...what,
        inPath: { ...made.inPath, ...real.inPath },
        query: { ...made.query, ...real.query },
        headers: {
          ...(schema && { 'Content-Type': 'application/json' }),
          ...(authorization && { Authorization: authorization }),
          ...made.headers,
          ...real.headers,
          'X-Request-ID': requestId,
        },
        json: real.json ?? made.json,
      } as Draft
    })
}

/** The octets of a header, without the blanks around it. */
function inHeader(palette: Palette, schema: object): fc.Arbitrary<string> {
  return palette.texts(schema).map((text) => text.replaceAll(/[^\x21-\x7e]/g, '-'))
}

function encoded(inPath: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inPath).map(([name, value]) => [name, encodeURIComponent(value.toWellFormed()) || 'x']),
  )
}

function authorizationFor({ security = [] }: Operation, world: World, scene: Scene, choice: number) {
  const schemes = security.flatMap((each) => Object.keys(each))
  if (schemes.length === 0) return undefined
  const { payments, cards, withoutScope } = world.services
  switch (schemes[choice % schemes.length]) {
    case 'userToken':
      return `Bearer ${scene.person.token}`
    case 'serviceToken':
      return `Bearer ${[payments, payments, payments, payments, payments, cards, withoutScope][choice % 7]}`
    default:
      return `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}`
  }
}

function realParts(operation: Operation, world: World, scene: Scene): fc.Arbitrary<RealParts> {
  const { challengeId, person, signature, code = '000000', issuanceId } = scene
  const inPath = { challengeId, userId: encodeURIComponent(person.userId) }
  const asPerson = { Authorization: `Bearer ${person.token}` }
  const asPayments = { Authorization: `Bearer ${world.services.payments}` }
  const other = fc.constantFrom(...world.scenes)
  switch (operation.operationId) {
    case 'initiateEmail':
      return fc.constant({ inPath, headers: asPerson })
    case 'verifyEmail':
      return fc
        .oneof(
          { weight: 3, arbitrary: fc.constant(code) },
          fc.constant(` ${code.slice(0, 3)}-${code.slice(3)} `),
          fc.stringMatching(/^\d{6}$/),
          other.map((scene) => scene.code ?? '999999'),
        )
        .map((totp) => ({ inPath, headers: asPerson, json: { totp } }))
    case 'openChallenge':
      return fc.oneof(
        fc.constant({
          headers: { ...asPayments, 'plmr-idempotency-key': scene.openKey },
          json: scene.demand,
        }),
        fc.uuid().map((key) => ({
          headers: { ...asPayments, 'plmr-idempotency-key': key },
          json: { ...scene.demand, expiresInSeconds: 60 },
        })),
        fc.constant({ headers: { ...asPayments, 'plmr-idempotency-key': scene.openKey } }),
      )
    case 'consumeChallenge':
      return fc
        .record({
          proof: fc.oneof({ weight: 4, arbitrary: fc.constant(scene) }, other),
          fresh: fc.option(fc.uuid()),
        })
        .map(({ proof, fresh }) => ({
          inPath,
          headers: { ...asPayments, 'plmr-idempotency-key': fresh ?? scene.consumeKey },
          json: { signature, digest: proof.digest },
        }))
    case 'cancelChallenge':
    case 'readChallenge':
      return fc.constantFrom(asPerson, asPayments).map((headers) => ({ inPath, headers }))
    case 'reportMail':
      return fc
        .constantFrom<object>(
          { RecordType: 'Delivery', DeliveredAt: world.now },
          { RecordType: 'Bounce', Type: 'SoftBounce', BouncedAt: world.now },
          { RecordType: 'Bounce', Type: 'HardBounce', Inactive: true, BouncedAt: world.now },
          { RecordType: 'SpamComplaint', BouncedAt: world.now },
          ...[true, false].map((SuppressSending) => ({
            ...{ RecordType: 'SubscriptionChange', SuppressSending, Recipient: person.address },
            ...{ ChangedAt: world.now, SuppressionReason: 'HardBounce' },
          })),
        )
        .map((report) => ({ json: { ...report, Metadata: { issuance: issuanceId } } }))
    case 'listChallenges':
      return fc.constantFrom({}, { limit: '1' }).map((page) => ({
        headers: asPayments,
        query: { subjectUserId: person.userId, ...page },
      }))
    case 'readDevelopmentMailbox':
      return fc
        .constantFrom('application/json', 'text/html')
        .map((Accept) => ({ query: { to: person.address }, headers: { Accept } }))
    case 'readApiDocument':
    case 'showApi':
    case 'readPartOfPage':
      return fc.constantFrom(...world.tags).map((tag) => ({ headers: { 'If-None-Match': tag } }))
    default:
      return fc.constant({ inPath })
  }
}
