import test from 'ava'
import type { DomainEvent } from '../../src/domain/domain-event.ts'
import { ServiceEvent } from '../../src/domain/service-event.ts'
import { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'
import { afterNoon, NOON } from './examples.ts'

const ABOUT = { challengeId: 'c1', subjectUserId: 'alice', at: NOON }
const TELLING = { id: 'e1', clientId: 'payments', position: 7 }

for (const [event, details] of [
  [
    { type: 'challenge-opened', clientId: 'payments', operationType: 'transfer' },
    { operationType: 'transfer' },
  ],
  [{ type: 'otp-issued', issuanceId: 'i1', number: 2 }, { number: 2 }],
  [{ type: 'otp-sent', issuanceId: 'i1', attempt: 3 }, {}],
  [
    { type: 'otp-failed', issuanceId: 'i1', reason: 'refused', reply: 'smtp RCPT 550' },
    { reason: 'refused' },
  ],
  [{ type: 'otp-bounced', issuanceId: 'i1', kind: 'hard-bounce' }, { kind: 'hard-bounce' }],
  [{ type: 'otp-rejected', attemptsRemaining: 2 }, { attemptsRemaining: 2 }],
  [{ type: 'challenge-verified', issuanceId: 'i1' }, {}],
  [{ type: 'challenge-cancelled', reason: 'by-client' }, { reason: 'by-client' }],
  [
    { type: 'challenge-reported', statusBefore: 'verified', mail: 'otp' },
    { statusBefore: 'verified', mail: 'otp' },
  ],
  [{ type: 'subject-locked', until: afterNoon(900) }, { until: '2030-01-01T12:15:00.000Z' }],
] as const) {
  test(`of ${event.type}, a service gets ${Object.keys(details)[0] ?? 'nothing more'}`, (t) => {
    t.deepEqual(ServiceEvent.of({ ...event, ...ABOUT }, TELLING), {
      ...ABOUT,
      ...TELLING,
      type: event.type,
      details,
    })
  })
}

test('a service gets no detail that the trail does not have, or has in a form of its own', (t) => {
  const event = { ...ABOUT, type: 'challenge-reported', statusBefore: undefined, mail: { kind: 'otp' } }

  t.deepEqual(ServiceEvent.of(event as unknown as DomainEvent, TELLING)?.details, {})
})

for (const event of [
  { ...ABOUT, type: 'stranger-refused' },
  { ...ABOUT, type: 'consumption-refused', reason: 'digest-mismatch' },
  { ...ABOUT, type: 'address-suppressed', issuanceId: 'i1', reason: 'hard-bounce' },
  { ...ABOUT, type: 'otp-deferred', issuanceId: 'i1', attempt: 1 },
  { subjectUserId: 'alice', at: NOON, type: 'user-erased' },
] as const satisfies readonly DomainEvent[]) {
  test(`no service gets to know of ${event.type}`, (t) => {
    t.is(ServiceEvent.of(event, TELLING), undefined)
  })
}

test('a delivery that fails is tried eight times within about a day, and then given up', (t) => {
  const waits: number[] = []
  for (let attempts = 1; ; attempts++) {
    const outcome = ServiceEvent.afterFailure(attempts, NOON, 0)
    if (outcome.status === 'given-up') break
    waits.push((outcome.nextAttemptAt.getTime() - NOON.getTime()) / 1000)
  }

  t.deepEqual(waits, [5, 300, 1800, 7200, 18_000, 36_000, 23_400])
})

test('tries of many events spread over a tenth of their wait', (t) => {
  t.deepEqual(ServiceEvent.afterFailure(2, NOON, 1), { status: 'deferred', nextAttemptAt: afterNoon(330) })
})

test('an endpoint can ask for a longer wait, of a day at most, and for no shorter one', (t) => {
  const waitOf = (attempts: number, wish: number) => ServiceEvent.afterFailure(attempts, NOON, 0, wish)

  t.deepEqual(waitOf(1, 60), { status: 'deferred', nextAttemptAt: afterNoon(60) })
  t.deepEqual(waitOf(2, 60), { status: 'deferred', nextAttemptAt: afterNoon(300) })
  t.deepEqual(waitOf(1, 1e9), { status: 'deferred', nextAttemptAt: afterNoon(86_400) })
  t.deepEqual(waitOf(8, 60), { status: 'given-up' })
})

const HEALTHY = { failingSince: undefined, pausedAt: undefined, probeAt: undefined }

test('an endpoint is paused by the first failure an hour after the one that began them, with a try in five minutes', (t) => {
  const failing = WebhookEndpoint.afterFailure(HEALTHY, false, NOON)
  t.deepEqual(failing, { ...HEALTHY, failingSince: NOON })
  t.deepEqual(WebhookEndpoint.afterFailure(failing, false, afterNoon(3599)), failing)

  const paused = WebhookEndpoint.afterFailure(failing, false, afterNoon(3600))
  t.deepEqual(paused, { failingSince: NOON, pausedAt: afterNoon(3600), probeAt: afterNoon(3900) })
  t.deepEqual(WebhookEndpoint.afterFailure(paused, false, afterNoon(3900)), paused)
  t.deepEqual(WebhookEndpoint.afterSuccess(paused), HEALTHY)
})

test('an endpoint that is gone, or that somebody paused, gets no tries, and no success resumes it', (t) => {
  const gone = WebhookEndpoint.afterFailure(HEALTHY, true, NOON)
  t.deepEqual(gone, { failingSince: NOON, pausedAt: NOON, probeAt: undefined })
  t.deepEqual(WebhookEndpoint.afterSuccess(gone), { ...HEALTHY, pausedAt: NOON })
  t.deepEqual(WebhookEndpoint.afterFailure(gone, false, afterNoon(9000)), gone)
  const probed = { failingSince: NOON, pausedAt: NOON, probeAt: afterNoon(300) }
  t.deepEqual(WebhookEndpoint.afterFailure(probed, true, afterNoon(300)), gone)
})
