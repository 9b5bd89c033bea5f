import { Counter, Histogram, Registry } from 'prom-client'
import { NOTICE_OUTCOMES } from '../../contracts/notice-outcome.ts'
import { type ConsumptionRefusal, type DeliveryFailure, FORGERIES } from '../../domain/domain-event.ts'

/*
 * Bounds in seconds. Each histogram covers its shortest and longest useful duration:
 * - requests: from the fastest answer to one that reaches every time-out;
 * - sending a mail: from at once to the end of its code;
 * - delivery: from at once to long after the user has stopped waiting;
 * - verification: from a user with an open mailbox to the longest lifetime of a code.
 */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const HANDOVER_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300]
const DELIVERY_BUCKETS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600]
const VERIFICATION_BUCKETS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600]

/** Why the service refused a token. Each reason needs another action of the operator. */
const TOKEN_REFUSALS = [
  'expired',
  'not-yet-valid',
  'unknown-key',
  'bad-signature',
  'claims',
  'other',
] as const
export type TokenRefusal = (typeof TOKEN_REFUSALS)[number]

const DELIVERY_FAILURES: readonly DeliveryFailure[] = [
  'refused',
  'superseded',
  'challenge-over',
  'code-expired',
  ...FORGERIES,
]
const CONSUMPTION_REFUSALS: readonly ConsumptionRefusal[] = ['digest-mismatch', 'signature-mismatch']

/** The metrics of one process. docs/metrics.md explains them. Every label has a bounded set of values. */
export class Metrics {
  readonly registry = new Registry()

  readonly requestDuration = new Histogram({
    name: 'countersign_http_request_duration_seconds',
    help: 'Requests, with the time from their headers to their answer',
    labelNames: ['route', 'method', 'status', 'code'] as const,
    buckets: REQUEST_BUCKETS,
    registers: [this.registry],
  })

  readonly events = new Counter({
    name: 'countersign_events_total',
    help: 'Stored events',
    labelNames: ['type', 'reason'] as const,
    registers: [this.registry],
  })

  readonly deliveryAttempts = new Counter({
    name: 'countersign_delivery_attempts_total',
    help: 'Attempts to send a mail, by outcome',
    labelNames: ['outcome', 'transport'] as const,
    registers: [this.registry],
  })

  readonly deliveryFailures = new Counter({
    name: 'countersign_delivery_failures_total',
    help: 'Mails that the service will never send, by reason',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })

  readonly transportAttempts = new Counter({
    name: 'countersign_transport_attempts_total',
    help: 'Mails offered to a mail system, by its answer',
    labelNames: ['transport', 'outcome'] as const,
    registers: [this.registry],
  })

  readonly bounceNotices = new Counter({
    name: 'countersign_bounce_notices_total',
    help: 'Notices of mail systems about mails, by outcome',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  })

  readonly serviceEventAttempts = new Counter({
    name: 'countersign_service_event_attempts_total',
    help: 'Attempts to deliver an event to a service, by outcome and reason',
    labelNames: ['outcome', 'reason'] as const,
    registers: [this.registry],
  })

  readonly timeToHandover = new Histogram({
    name: 'countersign_time_to_handover_seconds',
    help: 'Time from the issuance of a code until a mail system took its mail',
    buckets: HANDOVER_BUCKETS,
    registers: [this.registry],
  })

  readonly timeToDelivery = new Histogram({
    name: 'countersign_time_to_delivery_seconds',
    help: "Time from the issuance of a code until the recipient's mail system took its mail, if that is reported",
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
    help: 'Access tokens that the service refused, by reason',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })

  readonly otpKeyMisses = new Counter({
    name: 'countersign_otp_key_misses_total',
    help: 'Codes and seals that the service could not derive, because their key is not configured',
    registers: [this.registry],
  })

  readonly forgeries = new Counter({
    name: 'countersign_forgeries_total',
    help: 'Rows that somebody other than the service wrote, found before anything came of them',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  })

  readonly workerDeaths = new Counter({
    name: 'countersign_worker_deaths_total',
    help: 'Workers that ended without a stop signal',
    registers: [this.registry],
  })

  constructor() {
    // Initialise at zero: `rate()` misses the first increment of a series that starts at one.
    for (const outcome of ['deferred', 'failed', 'unrecorded', 'outdated']) {
      this.deliveryAttempts.inc({ outcome, transport: '' }, 0)
    }
    for (const outcome of ['accepted', 'given-up', 'unrecorded', 'outdated']) {
      this.serviceEventAttempts.inc({ outcome, reason: '' }, 0)
    }
    for (const outcome of NOTICE_OUTCOMES) this.bounceNotices.inc({ outcome }, 0)
    for (const reason of DELIVERY_FAILURES) this.deliveryFailures.inc({ reason }, 0)
    for (const reason of CONSUMPTION_REFUSALS) this.events.inc({ type: 'consumption-refused', reason }, 0)
    for (const reason of FORGERIES) this.forgeries.inc({ reason }, 0)
    for (const reason of TOKEN_REFUSALS) this.tokenRefusals.inc({ reason }, 0)
  }
}
