import { SpanKind } from '@opentelemetry/api'
import type { DeliveryTraces } from '../../application/ports/delivery-traces.ts'
import type { OtpDelivery } from '../../application/ports/otp-outbox.ts'
import { inDatabase } from './database-span.ts'
import { fail, type Spans } from './spans.ts'
import type { Claim } from './traced-otp-outbox.ts'

/** A span for each attempt at a delivery, from its claim on, below the request that issued the code, which another process may have served. */
export class TracedDeliveries implements DeliveryTraces {
  readonly #spans: Spans
  readonly #claims: WeakMap<OtpDelivery, Claim>

  constructor(spans: Spans, claims: WeakMap<OtpDelivery, Claim>) {
    this.#spans = spans
    this.#claims = claims
  }

  follow<Report extends { readonly outcome: string }>(
    delivery: OtpDelivery,
    attempt: () => Promise<Report>,
  ): Promise<Report & { readonly traceId: string }> {
    const { id, challengeId, deliveryAttempts } = delivery.issuance
    const claim = this.#claims.get(delivery)
    const options = {
      kind: SpanKind.CONSUMER,
      parent: this.#spans.placeIn({ traceparent: delivery.traceContext }),
      ...(claim && { startTime: claim.begin }),
      attributes: {
        'countersign.challenge_id': challengeId,
        'countersign.issuance_id': id,
        'countersign.delivery.attempt': deliveryAttempts,
      },
    }
    return this.#spans.within('deliver code', options, async (span) => {
      if (claim) {
        const claimed = { ...inDatabase('otp-outbox.claim'), startTime: claim.begin }
        this.#spans.add('otp-outbox.claim', claimed, claim.end)
      }
      const report = await attempt()
      span.setAttribute('countersign.delivery.outcome', report.outcome)
      if (report.outcome === 'unrecorded') fail(span, 'unrecorded')
      return { ...report, traceId: span.spanContext().traceId }
    })
  }
}
