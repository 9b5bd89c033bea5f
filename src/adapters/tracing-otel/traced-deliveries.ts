import { SpanKind } from '@opentelemetry/api'
import type { Claim, DeliveryTraces } from '../../application/ports/delivery-traces.ts'
import type { OtpDelivery } from '../../application/ports/otp-outbox.ts'
import { fail, type Spans } from './spans.ts'
import { inDatabase } from './traced-statements.ts'

/**
 * Makes a span for each attempt at a delivery, from its claim on. Its parent is the request that issued the code, which
 * another process may have served.
 */
export class TracedDeliveries implements DeliveryTraces {
  readonly #spans: Spans

  constructor(spans: Spans) {
    this.#spans = spans
  }

  follow<Report extends { readonly outcome: string }>(
    delivery: OtpDelivery,
    claim: Claim,
    attempt: () => Promise<Report>,
  ): Promise<Report & { readonly traceId: string }> {
    const { id, challengeId, deliveryAttempts } = delivery.issuance
    const options = {
      kind: SpanKind.CONSUMER,
      parent: this.#spans.parentIn({ traceparent: delivery.traceContext }),
      startTime: claim.from,
      attributes: {
        'countersign.challenge_id': challengeId,
        'countersign.issuance_id': id,
        'countersign.delivery.attempt': deliveryAttempts,
      },
    }
    return this.#spans.within('deliver code', options, async (span) => {
      // One claim returns deliveries of many traces. Each trace shows the claim.
      const claimed = { ...inDatabase('otp-outbox.claim'), startTime: claim.from }
      this.#spans.add('otp-outbox.claim', claimed, claim.until)
      const report = await attempt()
      span.setAttribute('countersign.delivery.outcome', report.outcome)
      if (report.outcome === 'unrecorded') fail(span, 'unrecorded')
      return { ...report, traceId: span.spanContext().traceId }
    })
  }
}
