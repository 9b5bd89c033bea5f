import type { OtpDelivery } from './otp-outbox.ts'

/** When the claim ran that found a delivery. */
export interface Claim {
  readonly from: Date
  readonly until: Date
}

/** Shows deliveries as parts of the requests that issued the codes. */
export abstract class DeliveryTraces {
  /** Runs the attempt and returns its report, with the id of the trace that it became part of. Adds no failure of its own. */
  abstract follow<Report extends { readonly outcome: string }>(
    delivery: OtpDelivery,
    claim: Claim,
    attempt: () => Promise<Report>,
  ): Promise<Report & { readonly traceId?: string }>
}
