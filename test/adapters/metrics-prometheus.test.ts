import test from 'ava'
import { AggregatorRegistry } from 'prom-client'
import { watchAnchors } from '../../src/adapters/metrics-prometheus/anchor-gauge.ts'
import { commitMetrics } from '../../src/adapters/metrics-prometheus/commit-metrics.ts'
import { DeliveryMetrics } from '../../src/adapters/metrics-prometheus/delivery-metrics.ts'
import { MeasuredMailTransport } from '../../src/adapters/metrics-prometheus/measured-mail-transport.ts'
import { Metrics } from '../../src/adapters/metrics-prometheus/metrics.ts'
import { watchOutbox } from '../../src/adapters/metrics-prometheus/outbox-gauges.ts'
import { watchPool } from '../../src/adapters/metrics-prometheus/pool-gauges.ts'
import { RequestMetrics } from '../../src/adapters/metrics-prometheus/request-metrics.ts'
import { watchRetention } from '../../src/adapters/metrics-prometheus/retention-gauge.ts'
import { watchServiceEvents } from '../../src/adapters/metrics-prometheus/service-event-gauges.ts'
import { OtplibTotp } from '../../src/adapters/totp-otplib/otplib-totp.ts'
import { whereaboutsOf } from '../../src/application/decide-and-save.ts'
import { recordMailEvent } from '../../src/application/mail/record-mail-event.ts'
import type { DeliveryReport } from '../../src/application/mail/send-mail.ts'
import type { LockNoticeDelivery } from '../../src/application/ports/lock-notices.ts'
import type { OtpDelivery } from '../../src/application/ports/otp-outbox.ts'
import { UnknownOtpKey } from '../../src/application/ports/totp.ts'
import type { Backlog } from '../../src/contracts/outbox-backlog.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import type { DomainEvent } from '../../src/domain/domain-event.ts'
import { LockNotice } from '../../src/domain/lock-notice.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { issued, locked, opened, PROVENANCE } from '../contracts/stores.ts'
import { ALICE, afterNoon, demand, NOON, noticeDemand, openChallenge, POLICY } from '../domain/examples.ts'
import { inMemoryStores } from '../doubles/in-memory/in-memory-stores.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'
import { SettableClock } from '../doubles/settable-clock.ts'

/** The storage ports over a store in memory, which has its commits measured. */
function measured() {
  const metrics = new Metrics()
  return { metrics, ...inMemoryStores(commitMetrics(metrics)) }
}

mailTransportContract('measured', async () => {
  const transport = new InMemoryMailTransport()
  return {
    transport: new MeasuredMailTransport('memory', transport, new Metrics()),
    arrived: async () => transport.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      transport.mode = 'unavailable'
    },
    recover: async () => {
      transport.mode = 'taking'
    },
  }
})

/** The samples of a metric as they are scraped: `{labels} value` each, buckets left out. */
async function samplesOf(
  { registry }: { registry: { metrics(): Promise<string> } },
  name: string,
): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n')
  return lines
    .filter((line) => line.startsWith(name) && !line.startsWith(`${name}_bucket`))
    .map((line) => line.slice(name.length))
}

/** Of types that have a reason to wait for, there is a zero from the start. */
const eventsOf = async (metrics: Metrics) =>
  (await samplesOf(metrics, 'countersign_events_total')).filter((sample) => !sample.endsWith(' 0'))

const verifyAt = (stepUp: StepUp, codeMatches: boolean, seconds: number) =>
  StepUp.verifyOtp(stepUp, () => codeMatches, noticeDemand(), POLICY, afterNoon(seconds))[0]

test('an opened challenge is counted once, however often its call comes', async (t) => {
  const { stepUps, metrics } = measured()
  const [challenge, event] = Challenge.open(openChallenge(), POLICY, NOON)
  for (let call = 0; call < 3; call++) {
    await stepUps.open(challenge, event, { key: 'k', fingerprint: 'f' }, PROVENANCE)
  }

  t.deepEqual(await eventsOf(metrics), ['{type="challenge-opened",reason=""} 1'])
})

test('of decisions that race, those are counted that were stored', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  await issued(stores, id)
  const stepUp = (await stores.stepUps.load(id))!

  const saved = await Promise.all(
    Array.from({ length: 8 }, () => stores.stepUps.save(verifyAt(stepUp, false, 1), PROVENANCE)),
  )

  t.is(saved.filter(Boolean).length, 1)
  t.true((await eventsOf(stores.metrics)).includes('{type="otp-rejected",reason=""} 1'))
})

test('every event of a decision counts, with its reason', async (t) => {
  const stores = measured()
  const policy = { ...POLICY, maxAttempts: 1, subjectMaxFailures: 1 }
  const { id } = await opened(stores, 'alice', policy)
  const guess = StepUp.verifyOtp(
    (await stores.stepUps.load(id))!,
    () => false,
    noticeDemand(),
    policy,
    NOON,
  )[0]
  await stores.stepUps.save(guess, PROVENANCE)

  const other = await opened(stores, 'bob')
  const { standing } = (await stores.stepUps.load(other.id))!
  const [challenge, cancelled] = Challenge.cancel(other, 'by-subject', NOON)
  await stores.stepUps.save({ challenge, standing, events: [cancelled] }, PROVENANCE)

  t.deepEqual((await eventsOf(stores.metrics)).toSorted(), [
    '{type="challenge-cancelled",reason="by-subject"} 1',
    '{type="challenge-exhausted",reason=""} 1',
    '{type="challenge-opened",reason=""} 2',
    '{type="otp-rejected",reason=""} 1',
    '{type="subject-locked",reason=""} 1',
  ])
})

test('an event of a type that is yet to come counts under its type alone', async (t) => {
  const metrics = new Metrics()
  const event = { type: 'otp-sung', subjectUserId: 'alice', at: NOON, issuanceId: 'i-1' }

  commitMetrics(metrics)({ events: [event as unknown as DomainEvent], provenance: PROVENANCE })

  t.deepEqual(await eventsOf(metrics), ['{type="otp-sung",reason=""} 1'])
})

test('what the mail system reports is counted as far as it is news', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  const issuance = await issued(stores, id)
  const bounced = { outcome: 'bounced', kind: 'hard-bounce', at: afterNoon(5) } as const
  await Promise.all(
    Array.from({ length: 5 }, () => recordMailEvent(stores.mailOutcomes, issuance.id, bounced, PROVENANCE)),
  )

  const samples = await eventsOf(stores.metrics)
  t.true(samples.includes('{type="otp-bounced",reason="hard-bounce"} 1'))
  t.true(samples.includes('{type="address-suppressed",reason="hard-bounce"} 1'))
})

test('a lifted suppression is counted, unless another decision came first', async (t) => {
  const stores = measured()
  const { subjectUserId } = await opened(stores)
  const standing = SubjectStanding.suppress((await stores.suppressions.findBySubject(subjectUserId))!, {
    address: ALICE,
    reason: 'complaint',
    at: NOON,
  })
  const lifted: DomainEvent = { type: 'suppression-lifted', subjectUserId, at: NOON }

  t.true(await stores.suppressions.save(standing, [lifted], PROVENANCE))
  t.false(await stores.suppressions.save(standing, [lifted], PROVENANCE))
  t.true((await eventsOf(stores.metrics)).includes('{type="suppression-lifted",reason=""} 1'))
})

test('the time to the verification runs from the issuance of the code that verified', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  await issued(stores, id)
  await issued(stores, id, afterNoon(40))
  await stores.stepUps.save(verifyAt((await stores.stepUps.load(id))!, false, 50), PROVENANCE)
  await stores.stepUps.save(verifyAt((await stores.stepUps.load(id))!, true, 52.5), PROVENANCE)

  t.deepEqual(await samplesOf(stores.metrics, 'countersign_time_to_verification_seconds'), [
    '_sum 12.5',
    '_count 1',
  ])
})

test('what is decided about a verified challenge is no second verification', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  await issued(stores, id)
  await stores.stepUps.save(verifyAt((await stores.stepUps.load(id))!, true, 1), PROVENANCE)
  const { challenge, standing } = (await stores.stepUps.load(id))!
  const [, events] = Challenge.refuseConsumption(
    challenge,
    'digest-mismatch',
    { key: 'k', fingerprint: 'f' },
    afterNoon(2),
  )
  await stores.stepUps.save({ challenge, standing, events }, PROVENANCE)

  t.true((await eventsOf(stores.metrics)).includes('{type="consumption-refused",reason="digest-mismatch"} 1'))
  t.true((await samplesOf(stores.metrics, 'countersign_time_to_verification_seconds')).includes('_count 1'))
})

test('a forgery is counted by how it shows, and each way is there from the start', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  await stores.intruder.unseal(id)
  const stepUp = (await stores.stepUps.load(id))!
  const decision = StepUp.cancelIfUnsound(stepUp, whereaboutsOf(stepUp), afterNoon(1))!
  await stores.stepUps.save(decision, { actor: 'service' })

  t.deepEqual(await samplesOf(stores.metrics, 'countersign_forgeries_total'), [
    '{reason="unsealed"} 1',
    '{reason="broken-seal"} 0',
    '{reason="set-back"} 0',
  ])
})

test('a mail handed over adds the time it waited, one given up its reason, and one deferred neither', async (t) => {
  const stores = measured()
  const claimed = async () => {
    await issued(stores, (await opened(stores)).id)
    const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
    return delivery!.issuance
  }
  const [sent, failed, deferred] = [await claimed(), await claimed(), await claimed()]
  await stores.outbox.record(sent, ...OtpIssuance.markSent(sent, 'm-1', afterNoon(1.5)))
  await stores.outbox.record(failed, ...OtpIssuance.fail(failed, 'refused', afterNoon(1)))
  await stores.outbox.record(deferred, ...OtpIssuance.defer(deferred, afterNoon(1)))

  const { metrics } = stores
  t.deepEqual(
    (await eventsOf(metrics)).filter((sample) => /otp-(?!issued)/.test(sample)),
    [
      '{type="otp-sent",reason=""} 1',
      '{type="otp-failed",reason="refused"} 1',
      '{type="otp-deferred",reason=""} 1',
    ],
  )
  t.deepEqual(await samplesOf(metrics, 'countersign_time_to_handover_seconds'), ['_sum 1.5', '_count 1'])
  t.deepEqual(await samplesOf(metrics, 'countersign_delivery_failures_total'), [
    '{reason="refused"} 1',
    '{reason="superseded"} 0',
    '{reason="challenge-over"} 0',
    '{reason="code-expired"} 0',
    '{reason="unsealed"} 0',
    '{reason="broken-seal"} 0',
    '{reason="set-back"} 0',
  ])
})

test('the time to the delivery runs from the issuance, and counts once however often it is reported', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  const issuance = await issued(stores, id, afterNoon(2))
  for (const at of [afterNoon(6.5), afterNoon(6.5), afterNoon(6)]) {
    await recordMailEvent(stores.mailOutcomes, issuance.id, { outcome: 'delivered', at }, PROVENANCE)
  }
  await recordMailEvent(
    stores.mailOutcomes,
    issuance.id,
    { outcome: 'bounced', kind: 'complaint', at: afterNoon(60) },
    PROVENANCE,
  )

  t.deepEqual(await samplesOf(stores.metrics, 'countersign_time_to_delivery_seconds'), [
    '_sum 4.5',
    '_count 1',
  ])
})

test('a mail system is counted by what it says, before it has said anything', async (t) => {
  const metrics = new Metrics()
  const memory = new InMemoryMailTransport()
  const transport = new MeasuredMailTransport('memory', memory, metrics)
  const attempts = () => samplesOf(metrics, 'countersign_transport_attempts_total')
  t.is((await attempts()).filter((sample) => sample.endsWith(' 0')).length, 4)

  for (const mode of ['taking', 'refusing', 'suppressing', 'unavailable', 'silent'] as const) {
    memory.mode = mode
    await transport.send(otpMail()).catch(() => {})
  }

  t.deepEqual(await attempts(), [
    '{transport="memory",outcome="taken"} 1',
    '{transport="memory",outcome="refused"} 2',
    '{transport="memory",outcome="unavailable"} 1',
    '{transport="memory",outcome="unknown"} 1',
  ])
})

test('refused tokens are told apart by a few reasons, whatever the reason was', async (t) => {
  const metrics = new Metrics()
  const requests = new RequestMetrics(metrics)
  const answered = { route: '/verify', method: 'POST', code: 'X', durationInSeconds: 0.25 }
  const refusals = [
    ...[
      'ERR_JWT_EXPIRED',
      'not-yet-valid',
      'ERR_JWKS_NO_MATCHING_KEY',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    ],
    ...['ERR_JWT_CLAIM_VALIDATION_FAILED', 'ERR_JWS_INVALID', 'typ', 'alice@example.com', 'constructor'],
  ]

  for (const refusal of refusals) requests.answered({ ...answered, status: 401, refusal })
  for (const status of [204, 401, 503, 500]) requests.answered({ ...answered, status, refusal: undefined })

  t.deepEqual(await samplesOf(metrics, 'countersign_tokens_refused_total'), [
    '{reason="expired"} 1',
    '{reason="not-yet-valid"} 1',
    '{reason="unknown-key"} 1',
    '{reason="bad-signature"} 1',
    '{reason="claims"} 1',
    '{reason="other"} 4',
  ])
})

test('a code whose key is not configured is counted when it is to be sent and when it is checked', async (t) => {
  const metrics = new Metrics()
  const keys = [{ id: 'k2', bytes: Buffer.alloc(32, 1) }] as const
  const totp = new OtplibTotp(keys, 6, () => metrics.otpKeyMisses.inc())
  const challenge = Challenge.countIssuance(openChallenge(), NOON)
  const issuance = OtpIssuance.queue(demand(), challenge, POLICY, NOON)

  t.throws(() => totp.code(issuance, challenge), { instanceOf: UnknownOtpKey })
  t.throws(() => totp.matches('123456', issuance, challenge), { instanceOf: UnknownOtpKey })

  t.deepEqual(await samplesOf(metrics, 'countersign_otp_key_misses_total'), [' 2'])
})

test('what became of warnings of locks is counted once it is recorded', async (t) => {
  const stores = measured()
  for (let n = 0; n < 3; n++) await locked(stores, (await opened(stores)).id)
  const claimed = await stores.lockNotices.claim(3, NOON, afterNoon(30))
  const [sent, failed, deferred] = claimed.map(({ notice }) => notice)
  await stores.lockNotices.record(sent!, ...LockNotice.markSent(sent!, 'm-1', afterNoon(1)))
  await stores.lockNotices.record(failed!, ...LockNotice.fail(failed!, 'refused', afterNoon(1)))
  await stores.lockNotices.record(deferred!, ...LockNotice.defer(deferred!, afterNoon(1)))

  const counted = (await eventsOf(stores.metrics)).filter((sample) => sample.includes('lock-notice'))
  t.deepEqual(counted.toSorted(), [
    '{type="lock-notice-failed",reason="refused"} 1',
    '{type="lock-notice-sent",reason=""} 1',
  ])
})

test('what is recorded after its lease was lost counts nothing, of a code or of a lock', async (t) => {
  const stores = measured()
  const { id } = await opened(stores)
  await issued(stores, id)
  await locked(stores, id)
  const [{ issuance }] = (await stores.outbox.claim(1, NOON, afterNoon(30))) as [OtpDelivery]
  const [{ notice }] = (await stores.lockNotices.claim(1, NOON, afterNoon(30))) as [LockNoticeDelivery]
  await stores.outbox.claim(1, afterNoon(30), afterNoon(60))
  await stores.lockNotices.claim(1, afterNoon(30), afterNoon(60))
  const before = await stores.metrics.registry.metrics()

  await stores.outbox.record(issuance, ...OtpIssuance.markSent(issuance, 'm-1', afterNoon(31)))
  await stores.outbox.record(issuance, ...OtpIssuance.fail(issuance, 'refused', afterNoon(31)))
  await stores.lockNotices.record(notice, ...LockNotice.markSent(notice, 'm-1', afterNoon(31)))

  t.is(await stores.metrics.registry.metrics(), before)
})

test('attempts are counted by outcome, and the transport that took the mail', async (t) => {
  const metrics = new Metrics()
  const reports: Pick<DeliveryReport, 'outcome' | 'transport'>[] = [
    { outcome: 'sent', transport: 'postmark' },
    { outcome: 'sent', transport: 'smtp' },
    { outcome: 'queued' },
    { outcome: 'unrecorded' },
    { outcome: 'unrecorded', transport: 'smtp' },
    { outcome: 'outdated', transport: 'smtp' },
  ]
  const all = reports.map((report) => ({ challengeId: 'c-1', issuanceId: 'i-1', attempt: 1, ...report }))
  const deliveries = new DeliveryMetrics(metrics)

  for (const report of all) deliveries.attempted(report)

  t.deepEqual((await samplesOf(metrics, 'countersign_delivery_attempts_total')).toSorted(), [
    '{outcome="deferred",transport=""} 1',
    '{outcome="failed",transport=""} 0',
    '{outcome="outdated",transport=""} 0',
    '{outcome="outdated",transport="smtp"} 1',
    '{outcome="sent",transport="postmark"} 1',
    '{outcome="sent",transport="smtp"} 1',
    '{outcome="unrecorded",transport=""} 1',
    '{outcome="unrecorded",transport="smtp"} 1',
  ])
})

test('requests are told apart by route, method, status and code, and by nothing that they can choose', async (t) => {
  const metrics = new Metrics()
  const requests = new RequestMetrics(metrics)
  const verify = { route: '/verify', method: 'POST', refusal: undefined, durationInSeconds: 0.25 }
  requests.answered({ ...verify, status: 204, code: undefined })
  requests.answered({ ...verify, status: 204, code: undefined })
  requests.answered({ ...verify, status: 400, code: 'INVALID_OTP' })
  for (const method of ['PURGE', 'M-SEARCH']) {
    requests.answered({ ...verify, route: undefined, method, status: 404, code: 'X', durationInSeconds: 0.5 })
  }

  const counts = await samplesOf(metrics, 'countersign_http_request_duration_seconds')
  t.deepEqual(counts, [
    '_sum{route="/verify",method="POST",status="204",code=""} 0.5',
    '_count{route="/verify",method="POST",status="204",code=""} 2',
    '_sum{route="/verify",method="POST",status="400",code="INVALID_OTP"} 0.25',
    '_count{route="/verify",method="POST",status="400",code="INVALID_OTP"} 1',
    '_sum{route="unmatched",method="other",status="404",code="X"} 1',
    '_count{route="unmatched",method="other",status="404",code="X"} 2',
  ])
})

/** The gauges of an outbox that a test makes answer, or not. */
function watched(measure: () => Promise<Backlog>, timeoutInMs?: number) {
  const metrics = new Metrics()
  const looks: Date[] = []
  const backlog = {
    measure: (now: Date) => {
      looks.push(now)
      return measure()
    },
  }
  watchOutbox(metrics.registry, backlog, new SettableClock(afterNoon(10)), timeoutInMs ? { timeoutInMs } : {})
  return { metrics, looks, outbox: () => samplesOf(metrics, 'countersign_outbox_') }
}

test('a scrape looks at the outbox once, for both gauges', async (t) => {
  const { outbox, looks } = watched(async () => ({ queued: 7, oldestDueAt: afterNoon(4) }))

  t.deepEqual(await outbox(), ['queued 7', 'oldest_due_age_seconds 6'])
  t.deepEqual(looks, [afterNoon(10)])
  await outbox()
  t.is(looks.length, 2)
})

test('the outbox that several workers see is one outbox', async (t) => {
  const workers = [3, 4].map((queued) => watched(async () => ({ queued, oldestDueAt: afterNoon(queued) })))
  const told = await Promise.all(workers.map(({ metrics }) => metrics.registry.getMetricsAsJSON()))

  const registry = AggregatorRegistry.aggregate(told)
  t.deepEqual(await samplesOf({ registry }, 'countersign_outbox_'), ['queued 4', 'oldest_due_age_seconds 7'])
})

test('the queue of events has a gauge for what waits, for its age, and for paused endpoints, while it can be seen', async (t) => {
  const answers = [
    async () => ({ waiting: 7, oldestDueAt: afterNoon(4), pausedEndpoints: 2 }),
    async () => ({ waiting: 0, oldestDueAt: undefined, pausedEndpoints: 0 }),
    () => Promise.reject(new Error('away')),
  ]
  const metrics = new Metrics()
  const backlog = { measure: () => answers.shift()!() }
  watchServiceEvents(metrics.registry, backlog, new SettableClock(afterNoon(10)))
  const gauges = async () => [
    ...(await samplesOf(metrics, 'countersign_service_events_')),
    ...(await samplesOf(metrics, 'countersign_webhook_')),
  ]

  t.deepEqual(await gauges(), ['waiting 7', 'oldest_due_age_seconds 6', 'endpoints_paused 0'])
  t.deepEqual(await samplesOf(metrics, 'countersign_service_events_'), [])
})

test('with nothing due the age is 0', async (t) => {
  const { outbox } = watched(async () => ({ queued: 1, oldestDueAt: undefined }))

  t.deepEqual(await outbox(), ['queued 1', 'oldest_due_age_seconds 0'])
})

test('an outbox that cannot be seen has no gauges, and has them again once it can', async (t) => {
  let away = true
  const { outbox } = watched(async () => {
    if (away) throw new Error('away')
    return { queued: 0, oldestDueAt: undefined }
  })

  t.deepEqual(await outbox(), [])
  away = false
  t.deepEqual(await outbox(), ['queued 0', 'oldest_due_age_seconds 0'])
})

test('a scrape does not wait for a database that hangs, and the next one does not ask it again', async (t) => {
  const answer = Promise.withResolvers<Backlog>()
  const { outbox, looks } = watched(() => answer.promise, 1)

  t.deepEqual(await outbox(), [])
  t.deepEqual(await outbox(), [])
  t.is(looks.length, 1)

  answer.resolve({ queued: 0, oldestDueAt: undefined })
  await new Promise((resolve) => setImmediate(resolve))
  await outbox()
  t.is(looks.length, 2)
})

test('what is past its retention shows for how long, and what is not, not at all', async (t) => {
  const { registry } = new Metrics()
  let oldest: Date | undefined
  let away = false
  const oldestExpiry = async () => {
    if (away) throw new Error('away')
    return oldest
  }
  let trailOverdue = 0
  const trailOverdueInSeconds = async () => trailOverdue
  const periods = { challengesInDays: 2, trailInDays: 400 }
  watchRetention(
    registry,
    { oldestExpiry, trailOverdueInSeconds },
    new SettableClock(afterNoon(2 * 86_400)),
    periods,
  )
  const overdue = () => samplesOf({ registry }, 'countersign_retention_')

  t.deepEqual(await overdue(), ['overdue_seconds 0'])
  oldest = afterNoon(1)
  t.deepEqual(await overdue(), ['overdue_seconds 0'])
  oldest = afterNoon(-3600)
  t.deepEqual(await overdue(), ['overdue_seconds 3600'])
  trailOverdue = 7200
  t.deepEqual(await overdue(), ['overdue_seconds 7200'])
  away = true
  t.deepEqual(await overdue(), [])
})

test('the age of the newest anchor is shown; one that is forged or of the future counts as endlessly old', async (t) => {
  const { registry } = new Metrics()
  const clock = new SettableClock(NOON)
  let newest: { signedAt: Date } | undefined
  let away = false
  const anchors = {
    newest: async () => {
      if (away) throw new Error('away')
      return newest as never
    },
  }
  let verdict: 'genuine' | 'forged' | 'unknown-key' = 'genuine'
  watchAnchors(registry, anchors, { verify: () => verdict }, clock)
  const age = () => samplesOf({ registry }, 'countersign_trail_anchor_')

  clock.pass(60)
  t.deepEqual(await age(), ['age_seconds 60'])
  newest = { signedAt: NOON }
  clock.pass(3600)
  t.deepEqual(await age(), ['age_seconds 3660'])
  const sinceEver = [`age_seconds ${clock.now().getTime() / 1000}`]
  for (const bad of ['forged', 'unknown-key'] as const) {
    verdict = bad
    t.deepEqual(await age(), sinceEver)
  }
  verdict = 'genuine'
  newest = { signedAt: new Date('9999-01-01') }
  t.deepEqual(await age(), sinceEver)
  away = true
  t.deepEqual(await age(), [])
})

test('connections that are not idle are busy', async (t) => {
  const { registry } = new Metrics()
  const pool = { totalCount: 0, idleCount: 0, waitingCount: 0 }
  watchPool(registry, pool)
  const connections = () => samplesOf({ registry }, 'countersign_database_')

  t.deepEqual(await connections(), [
    'connections{state="busy"} 0',
    'connections{state="idle"} 0',
    'waiting_queries 0',
  ])
  Object.assign(pool, { totalCount: 10, idleCount: 3, waitingCount: 4 })
  t.deepEqual(await connections(), [
    'connections{state="busy"} 7',
    'connections{state="idle"} 3',
    'waiting_queries 4',
  ])
})
