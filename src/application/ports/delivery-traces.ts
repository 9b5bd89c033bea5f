import type { OtpDelivery } from './otp-outbox.ts'

/** Shows deliveries as parts of the requests that issued the codes. */
export abstract class DeliveryTraces {
  /** Runs the attempt and gives back its report, with the id of the trace that it became part of. Adds no failure of its own. */
  abstract follow<Report extends { readonly outcome: string }>(
    delivery: OtpDelivery,
    attempt: () => Promise<Report>,
  ): Promise<Report & { readonly traceId?: string }>
}
