import { Counter, Histogram, Registry } from 'prom-client'
import type { ConsumptionRefusal, DeliveryFailure } from '../../domain/domain-event.ts'

/*
 * In seconds, about as far apart as the answers to be had from them: from a request that the cache of a processor answers
 * to one that runs into every time-out there is; from a mail that leaves at once to one that leaves as its code ends, and
 * one that arrives when nobody waits for it any more; from somebody who has the mailbox open to the end of the longest code.
 */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const HANDOVER_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300]
const DELIVERY_BUCKETS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600]
const VERIFICATION_BUCKETS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600]

/** Why a token was refused, as far as whoever operates the service can do something about it. */
const TOKEN_REFUSALS = ['expired', 'unknown-key', 'bad-signature', 'claims', 'other'] as const
export type TokenRefusal = (typeof TOKEN_REFUSALS)[number]

const DELIVERY_FAILURES: readonly DeliveryFailure[] = [
  'refused',
  'superseded',
  'challenge-over',
  'code-expired',
]
const CONSUMPTION_REFUSALS: readonly ConsumptionRefusal[] = ['digest-mismatch', 'signature-mismatch']

/** What one process counts of its own work; docs/metrics.md tells how to read it. Every label has a bounded set of values. */
export class Metrics {
  readonly registry = new Registry()

  readonly requestDuration = new Histogram({
    name: 'countersign_http_request_duration_seconds',
    help: 'Requests by the time from their head to their answer',
    labelNames: ['route', 'method', 'status', 'code'] as const,
    buckets: REQUEST_BUCKETS,
    registers: [this.registry],
  })

  readonly events = new Counter({
    name: 'countersign_events_total',
    help: 'Events that were stored with a decision',
    labelNames: ['type', 'reason'] as const,
    registers: [this.registry],
  })

  readonly deliveryAttempts = new Counter({
    name: 'countersign_delivery_attempts_total',
    help: 'Attempts to hand a mail over, by what came of them',
    labelNames: ['outcome', 'transport'] as const,
    registers: [this.registry],
  })

  readonly deliveryFailures = new Counter({
    name: 'countersign_delivery_failures_total',
    help: 'Mails that will never be sent, by why not',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })

  readonly transportAttempts = new Counter({
    name: 'countersign_transport_attempts_total',
    help: 'Mails offered to a mail system, by what it said',
    labelNames: ['transport', 'outcome'] as const,
    registers: [this.registry],
  })

  readonly timeToHandover = new Histogram({
    name: 'countersign_time_to_handover_seconds',
    help: 'Time from the issuance of a code until its mail was handed over',
    buckets: HANDOVER_BUCKETS,
    registers: [this.registry],
  })

  readonly timeToDelivery = new Histogram({
    name: 'countersign_time_to_delivery_seconds',
    help: "Time from the issuance of a code until the recipient's mail system had taken its mail, where that is reported",
    buckets: DELIVERY_BUCKETS,
    registers: [this.registry],
  })

  readonly timeToVerification = new Histogram({
    name: 'countersign_time_to_verification_seconds',
    help: 'Time from the issuance of a code until it verified its challenge',
    buckets: VERIFICATION_BUCKETS,
    registers: [this.registry],
  })

  readonly tokenRefusals = new Counter({
    name: 'countersign_tokens_refused_total',
    help: 'Access tokens that were refused, by why',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })

  readonly otpKeyMisses = new Counter({
    name: 'countersign_otp_key_misses_total',
    help: 'Codes that could not be derived, as their key is not configured',
    registers: [this.registry],
  })

  readonly workerDeaths = new Counter({
    name: 'countersign_worker_deaths_total',
    help: 'Workers that ended without being told to',
    registers: [this.registry],
  })

  constructor() {
    // What starts at one has never risen: without a zero the first trouble after a start would be no trouble to `rate()`.
    for (const outcome of ['deferred', 'failed', 'unrecorded', 'outdated']) {
      this.deliveryAttempts.inc({ outcome, transport: '' }, 0)
    }
    for (const reason of DELIVERY_FAILURES) this.deliveryFailures.inc({ reason }, 0)
    for (const reason of CONSUMPTION_REFUSALS) this.events.inc({ type: 'consumption-refused', reason }, 0)
    for (const reason of TOKEN_REFUSALS) this.tokenRefusals.inc({ reason }, 0)
  }
}
