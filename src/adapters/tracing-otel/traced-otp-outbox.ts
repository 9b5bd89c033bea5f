import type { OtpDelivery, OtpOutbox } from '../../application/ports/otp-outbox.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import { inDatabase } from './database-span.ts'
import type { Spans } from './spans.ts'

/** When a delivery was claimed, in milliseconds since 1970. */
export interface Claim {
  readonly begin: number
  readonly end: number
}

/**
 * A span for each outcome that is recorded. A claim is of as many traces as it has deliveries, and most find nothing: when it was is
 * noted in `claims`, for a span in each of those traces.
 */
export class TracedOtpOutbox implements OtpOutbox {
  readonly #outbox: OtpOutbox
  readonly #spans: Spans
  readonly #claims: WeakMap<OtpDelivery, Claim>

  constructor(outbox: OtpOutbox, spans: Spans, claims: WeakMap<OtpDelivery, Claim>) {
    this.#outbox = outbox
    this.#spans = spans
    this.#claims = claims
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    const begin = Date.now()
    const deliveries = await this.#outbox.claim(limit, now, leaseEnd)
    const claim = { begin, end: Date.now() }
    for (const delivery of deliveries) this.#claims.set(delivery, claim)
    return deliveries
  }

  record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean> {
    return this.#spans.within('otp-outbox.record', inDatabase('otp-outbox.record'), () =>
      this.#outbox.record(claimed, outcome, event),
    )
  }
}
