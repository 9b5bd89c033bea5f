import type { OtpIssuance } from '../domain/otp-issuance.ts'

/** What came of one attempt to hand over the mail of an issuance, or of a lock notice. */
export interface DeliveryReport {
  readonly challengeId: string
  /** Whose mail it was: this, or the next. */
  readonly issuanceId?: string
  readonly noticeId?: string
  readonly attempt: number
  /** `unrecorded`: whatever happened to the mail could not be stored; it is due again when the lease ends. */
  readonly outcome: OtpIssuance['status'] | 'unrecorded'
  /** Who took the mail, if somebody did. */
  readonly transport?: string
  /** Of the trace that the attempt is part of, if it is traced. */
  readonly traceId?: string
  readonly error?: unknown
}

/** Begins to hand over a mail that has been claimed, and tells what came of it. Never rejects. */
export type HandOver = () => Promise<DeliveryReport>

/**
 * How long a claim lasts: outlives a hand-over (twenty seconds at most, see `MailTransport`) with room for a slow database
 * behind it.
 */
export const LEASE_IN_SECONDS = 30
