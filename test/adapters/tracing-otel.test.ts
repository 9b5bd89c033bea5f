import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { issuerKeys } from '../../src/adapters/identity-jose/issuer-keys.ts'
import type { ExportBounds } from '../../src/adapters/tracing-otel/bounded-export.ts'
import { Tracing, type TracingOptions } from '../../src/adapters/tracing-otel/tracing.ts'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { mailTransportContract } from '../contracts/mail-transport.contract.ts'
import { issued, opened, PROVENANCE } from '../contracts/stores.ts'
import { afterNoon, NOON, TRANSFER } from '../domain/examples.ts'
import { inMemoryStores } from '../doubles/in-memory/in-memory-stores.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'
import { startOtlpReceiver } from '../doubles/otlp-receiver.ts'
import { ALICE_TOKEN, edge } from '../http/edge.ts'
import { until } from '../journeys/client.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'
const SAMPLED = { traceparent: `00-${TRACE}-${CALLER}-01` }
const UNKNOWN_CHALLENGE = '0197a000-0000-7000-8000-0000000000c1'
const INITIATE = '/internal/v1/mfa/totp-email/:challengeId\\:initiate'

/** A process that traces to a collector of its own. `stop` exports what is left. */
async function traced(t: ExecutionContext, options: Partial<TracingOptions> = {}, bounds: ExportBounds = {}) {
  const collector = await startOtlpReceiver()
  const logLines: Record<string, unknown>[] = []
  const logger = pino({}, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const tracing = new Tracing(
    {
      endpoint: new URL('/v1/traces', collector.url),
      headers: {},
      serviceName: 'countersign',
      sampledShare: 1,
      ...options,
    },
    logger,
    bounds,
  )
  const stop = () => tracing.stop()
  t.teardown(async () => {
    await stop()
    await collector.close()
  })
  return { collector, tracing, logLines, stop }
}

/** Nobody takes its traces, which must not matter to any port. */
const forNobody = new Tracing(
  {
    endpoint: new URL('http://127.0.0.1:1/v1/traces'),
    headers: {},
    serviceName: 'countersign',
    sampledShare: 1,
  },
  pino({ level: 'silent' }),
)
test.after.always(() => forNobody.stop())

mailTransportContract('traced', async () => {
  const transport = new InMemoryMailTransport()
  return {
    transport: forNobody.mailTransport('memory', transport),
    arrived: async () => transport.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      transport.mode = 'unavailable'
    },
    recover: async () => {
      transport.mode = 'taking'
    },
  }
})

test('a request is a span below that of its caller, by the pattern of its route', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const { call, logLines } = await edge(t, { traces: tracing.requests })

  const path = `/internal/v1/mfa/totp-email/${UNKNOWN_CHALLENGE}:initiate`
  await call('POST', `${path}?email=alice@example.com`, {
    token: ALICE_TOKEN,
    headers: { ...SAMPLED, 'X-Request-ID': 'r-1' },
  })
  await stop()

  const [span, ...others] = collector.spans
  t.like(span, {
    traceId: TRACE,
    parentSpanId: CALLER,
    name: `POST ${INITIATE}`,
    kind: 'server',
    failed: false,
  })
  t.deepEqual(span?.attributes, {
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'http.response.status_code': 400,
    'http.route': INITIATE,
    'countersign.request_id': 'r-1',
    'countersign.error_code': 'CHALLENGE_NOT_FOUND',
    'countersign.challenge_id': UNKNOWN_CHALLENGE,
  })
  t.is(span?.resource['service.name'], 'countersign')
  t.deepEqual(others, [])
  t.like(
    logLines.find(({ msg }) => msg === 'request'),
    { requestId: 'r-1', traceId: TRACE },
  )
})

for (const [what, headers] of [
  ['no trace header', {}],
  ['a trace header that is none', { traceparent: 'alice@example.com' }],
  ['a trace id of zeros', { traceparent: `00-${'0'.repeat(32)}-${CALLER}-01` }],
  ['two trace headers in one', { traceparent: `${SAMPLED.traceparent}, ${SAMPLED.traceparent}` }],
] as const) {
  test(`a request with ${what} begins a trace of its own`, async (t) => {
    const { collector, tracing, stop } = await traced(t)
    const { call, logLines } = await edge(t, { traces: tracing.requests })

    await call('GET', '/.well-known/jwks.json', { headers })
    await stop()

    const [span] = collector.spans
    t.is(span?.parentSpanId, undefined)
    t.not(span?.traceId, TRACE)
    t.is(logLines.find(({ msg }) => msg === 'request')?.traceId, span?.traceId)
  })
}

test('what a caller does not sample is not exported, and goes on under its id', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const { call, logLines, open, initiate, store } = await edge(t, { traces: tracing.requests })
  const id = await open()

  await call('POST', `/internal/v1/mfa/totp-email/${id}:initiate`, {
    token: ALICE_TOKEN,
    headers: { traceparent: `00-${TRACE}-${CALLER}-00` },
  })
  const [delivery] = await store.outbox.claim(1, new Date('2999-01-01'), new Date('2999-01-02'))
  await initiate(id)
  await stop()

  t.regex(delivery?.traceContext ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  t.is(logLines.find(({ msg }) => msg === 'request')?.traceId, TRACE)
  t.is(collector.spans.length, 1)
  t.not(collector.spans[0]?.traceId, TRACE)
})

test('of the traces that begin here a share is exported, of those that began elsewhere every one', async (t) => {
  const { collector, tracing, stop } = await traced(t, { sampledShare: 0 })
  const { call } = await edge(t, { traces: tracing.requests })

  await call('GET', '/.well-known/jwks.json')
  await call('GET', '/.well-known/jwks.json', { headers: SAMPLED })
  await stop()

  t.deepEqual(
    collector.spans.map(({ traceId }) => traceId),
    [TRACE],
  )
})

test('probes are not traced', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const { call } = await edge(t, { traces: tracing.requests })

  t.is((await call('GET', '/healthz')).status, 200)
  t.is((await call('GET', '/readyz')).status, 200)
  await stop()

  t.deepEqual(collector.spans, [])
})

test('a span fails with a fault of ours, not with a refusal', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const { call, store, initiate } = await edge(t, { traces: tracing.requests })
  store.stepUps.load = async () => {
    throw new Error('alice@example.com')
  }

  await initiate(UNKNOWN_CHALLENGE)
  await call('GET', '/nowhere')
  await stop()

  const [fault, refusal] = collector.spans
  t.like(fault, { failed: true, attributes: { 'error.type': '500' } })
  t.like(refusal, { failed: false, name: 'GET', attributes: { 'http.response.status_code': 404 } })
})

test('a stranger cannot name a span: path, query and unknown methods stay out of it', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const { call } = await edge(t, { traces: tracing.requests })

  await call('PROPFIND', '/secret-path?secret-query', { headers: { 'User-Agent': 'secret-agent' } })
  await stop()

  t.is(collector.spans[0]?.name, '_OTHER')
  t.false(collector.bodies.join().includes('secret'))
})

for (const [outcome, failed] of [
  ['sent', false],
  ['queued', false],
  ['outdated', false],
  ['unrecorded', true],
] as const) {
  test(`a delivery that ends as ${outcome} is in the trace of its request, and its report says in which`, async (t) => {
    const { collector, tracing, stop } = await traced(t)
    const stores = inMemoryStores()
    const { id } = await opened(stores)
    const { id: issuanceId } = await issued(stores, id, NOON, {
      ...PROVENANCE,
      traceContext: SAMPLED.traceparent,
    })

    const from = new Date()
    const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
    const claim = { from, until: new Date(from.getTime() + 5) }
    const report = await tracing.deliveries.follow(delivery!, claim, async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return { outcome }
    })
    await stop()

    t.deepEqual(report, { outcome, traceId: TRACE })
    const [claimed, span] = collector.spans
    t.like(span, { name: 'deliver code', kind: 'consumer', parentSpanId: CALLER, traceId: TRACE, failed })
    t.like(span?.attributes, {
      'countersign.challenge_id': id,
      'countersign.issuance_id': issuanceId,
      'countersign.delivery.attempt': 1,
      'countersign.delivery.outcome': outcome,
    })
    t.like(claimed, { name: 'otp-outbox.claim', parentSpanId: span?.spanId })
    t.is(claimed!.durationInMs, 5)
    t.true(span!.durationInMs >= claimed!.durationInMs)
  })
}

test('a delivery whose request was not traced begins a trace', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const stores = inMemoryStores()
  await issued(stores, (await opened(stores)).id)

  const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
  const claim = { from: new Date(), until: new Date() }
  const { traceId } = await tracing.deliveries.follow(delivery!, claim, async () => ({ outcome: 'sent' }))
  await stop()

  const [claimed, span] = collector.spans
  t.like(span, { name: 'deliver code', parentSpanId: undefined, traceId })
  t.like(claimed, { name: 'otp-outbox.claim', parentSpanId: span?.spanId, traceId })
})

/** Runs `work` as what a request asks for. */
async function withinRequest(tracing: Tracing, work: () => Promise<unknown>): Promise<void> {
  const request = { method: 'GET', path: '/', scheme: 'http', headers: SAMPLED }
  await tracing.requests.follow(request, async () => {
    await work()
    return { requestId: 'r', route: undefined, status: 200, code: undefined, challengeId: undefined }
  })
}

test('a statement of a request is a span under its own name, with the number of its rows', async (t) => {
  const { collector, tracing, stop } = await traced(t)

  await withinRequest(tracing, async () => {
    t.deepEqual(await tracing.statements.around('step-ups.save', async () => [{ id: 1 }]), [{ id: 1 }])
    t.is(await tracing.statements.around('otp-outbox.record', async () => true), true)
  })
  await stop()

  const [saved, recorded, served] = collector.spans
  t.like(saved, { name: 'step-ups.save', kind: 'client', parentSpanId: served?.spanId, failed: false })
  t.deepEqual(saved?.attributes, {
    'db.system.name': 'postgresql',
    'db.operation.name': 'step-ups.save',
    'db.response.returned_rows': 1,
  })
  t.deepEqual(recorded?.attributes, {
    'db.system.name': 'postgresql',
    'db.operation.name': 'otp-outbox.record',
  })
})

test('a statement that lost its race is a span with no rows, and has not failed', async (t) => {
  const { collector, tracing, stop } = await traced(t)

  await withinRequest(tracing, () => tracing.statements.around('step-ups.save', async () => []))
  await stop()

  t.like(collector.spans[0], { failed: false, attributes: { 'db.response.returned_rows': 0 } })
})

test('a statement that fails makes its span fail, by the class of the error alone, and fails as it did', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const away = new StorageUnavailable('alice@example.com')

  await withinRequest(tracing, async () => {
    const failed = tracing.statements.around('step-ups.load', () => Promise.reject(away))
    t.is(await t.throwsAsync(failed), away)
  })
  await stop()

  t.like(collector.spans[0], { failed: true, attributes: { 'error.type': 'StorageUnavailable' } })
  t.false(collector.bodies.join().includes('alice'))
})

test('a statement of a job that is in no trace begins none', async (t) => {
  const { collector, tracing, stop } = await traced(t)

  t.deepEqual(await tracing.statements.around('otp-outbox.claim', async () => []), [])
  await stop()

  t.deepEqual(collector.spans, [])
})

test('a statement that requests share has a trace of its own, and the span of each request links to it', async (t) => {
  // Of traces that begin here, none would be sampled. Those of the requests are.
  const { collector, tracing, stop } = await traced(t, { sampledShare: 0 })
  const callers: (<Result>(work: () => Result) => Result)[] = []
  const group = Promise.withResolvers<void>()
  const waiting = [1, 2].map(() =>
    withinRequest(tracing, () =>
      tracing.statements.around('step-ups.load', () => {
        callers.push(tracing.statements.keepContext())
        return group.promise
      }),
    ),
  )

  await tracing.statements.aroundGroup('step-ups.load-group', [...callers, (work) => work()], async () =>
    group.resolve(),
  )
  await Promise.all(waiting)
  await stop()

  const [shared, ...others] = collector.spans.filter(({ name }) => name === 'step-ups.load-group')
  t.deepEqual(others, [])
  t.like(shared, { kind: 'client', parentSpanId: undefined, failed: false })
  t.is(shared?.attributes['db.operation.batch.size'], 3)
  const members = collector.spans.filter(({ name }) => name === 'step-ups.load')
  t.deepEqual(
    members.map(({ links }) => links),
    [[shared?.spanId], [shared?.spanId]],
  )
  t.deepEqual(
    shared?.links,
    members.map(({ spanId }) => spanId),
  )
  t.false(members.some(({ traceId }) => traceId === shared?.traceId))
})

test('a statement that only jobs share begins no trace', async (t) => {
  const { collector, tracing, stop } = await traced(t)

  const rows = await tracing.statements.aroundGroup('otp-outbox.record', [(work) => work()], async () => [1])
  await stop()

  t.deepEqual([rows, collector.spans], [[1], []])
})

test('a mail that is composed is a span of its delivery, and repeats no word of it', async (t) => {
  const { collector, tracing, stop } = await traced(t)
  const composer = tracing.mailComposer({
    compose: ({ code }) => ({ subject: 'secret-subject', text: code, html: code }),
  })
  const notice = {
    ...{ code: 'secret-code', reference: 'r', summary: TRANSFER.summary, issuedAt: NOON },
    ...{ expiresAt: afterNoon(300), locale: undefined, displayName: 'secret-name' },
  }

  await withinRequest(tracing, async () =>
    t.deepEqual(composer.compose(notice), {
      ...{ subject: 'secret-subject', text: 'secret-code', html: 'secret-code' },
    }),
  )
  await stop()

  const [composed, served] = collector.spans
  t.like(composed, { name: 'compose mail', parentSpanId: served?.spanId, traceId: TRACE })
  t.false(collector.bodies.join().includes('secret'))
})

test('a call for keys is a span of the request that needs them, and tells the issuer so', async (t) => {
  const asked: IncomingHttpHeaders[] = []
  const issuer = createServer((request, response) => {
    asked.push(request.headers)
    response.end('{"keys":[]}')
  })
  issuer.listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  t.teardown(() => issuer.close())
  const { port } = issuer.address() as AddressInfo
  const { collector, tracing, stop } = await traced(t)
  const clock = { now: () => new Date('2030-01-01T12:00:00Z') }
  const { candidates } = issuerKeys(new URL(`http://127.0.0.1:${port}/jwks?secret`), clock, tracing.fetch)

  const request = { method: 'GET', path: '/', scheme: 'http', headers: { ...SAMPLED, tracestate: 'bank=1' } }
  await tracing.requests.follow(request, async () => {
    await t.throwsAsync(async () => Array.fromAsync(candidates({ alg: 'ES256', kid: 'k' })))
    return { requestId: 'r', route: undefined, status: 200, code: undefined, challengeId: undefined }
  })
  await stop()

  const [fetched, served] = collector.spans
  t.like(fetched, { name: 'GET', kind: 'client', traceId: TRACE, parentSpanId: served?.spanId })
  t.deepEqual(fetched?.attributes, {
    'http.request.method': 'GET',
    'server.address': '127.0.0.1',
    'server.port': port,
    'http.response.status_code': 200,
  })
  t.is(asked[0]?.traceparent, `00-${TRACE}-${fetched?.spanId}-01`)
  t.is(asked[0]?.tracestate, 'bank=1')
  t.is(asked[0]?.accept, 'application/json, application/jwk-set+json')
})

test('the collector gets the headers that it wants', async (t) => {
  const { collector, tracing, stop } = await traced(t, { headers: { 'api-key': 'a secret' } })
  const { call } = await edge(t, { traces: tracing.requests })

  await call('GET', '/nowhere')
  await stop()

  t.is(collector.headers[0]?.['api-key'], 'a secret')
})

test('a collector that refuses costs its spans and one line of the log, which repeats nothing of it', async (t) => {
  const { collector, tracing, logLines, stop } = await traced(t, { headers: { 'api-key': 'a secret' } })
  const { call } = await edge(t, { traces: tracing.requests })
  collector.answerWith(401)

  await call('GET', '/nowhere')
  await until(
    async () => logLines,
    (lines) => lines.length > 0,
  )
  await call('GET', '/nowhere')
  await until(
    async () => collector.bodies,
    (bodies) => bodies.length > 1,
  )
  await stop()

  t.like(logLines[0], { level: 40, msg: 'traces lost', spans: 1, reason: 401 })
  t.is(logLines.length, 1)
  t.false(/secret|127\.0\.0\.1/.test(JSON.stringify(logLines)))
})

test('spans that nobody takes are given up, and how many is told once a while', async (t) => {
  const bounds = { maxWaiting: 2, logEveryMs: 0, flushTimeoutInMs: 50 }
  const { collector, tracing, logLines, stop } = await traced(t, {}, bounds)
  const { call } = await edge(t, { traces: tracing.requests })
  collector.answerWith(undefined)

  for (let n = 0; n < 4; n++) t.is((await call('GET', '/nowhere')).status, 404)
  await stop()

  t.deepEqual(
    logLines.map(({ msg, spans, reason }) => ({ msg, spans, reason })),
    Array(2).fill({ msg: 'traces lost', spans: 1, reason: 'too many at once' }),
  )
})
