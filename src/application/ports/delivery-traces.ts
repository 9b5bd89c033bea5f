import type { OtpDelivery } from './otp-outbox.ts'

/** When the claim that found a delivery began and ended. */
export interface Claim {
  readonly from: Date
  readonly until: Date
}

/** Makes each delivery part of the trace of the request that issued the code. */
export abstract class DeliveryTraces {
  /** Runs the attempt and returns its report, with the id of the trace that it became part of. Adds no failure of its own. */
  abstract follow<Report extends { readonly outcome: string }>(
    delivery: OtpDelivery,
    claim: Claim,
    attempt: () => Promise<Report>,
  ): Promise<Report & { readonly traceId?: string }>
}
