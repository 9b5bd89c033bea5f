import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import {
  type MailMessage,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../ports/mail-transport.ts'

/** What came of one attempt to hand over the mail of an issuance, or of a lock notice. */
export interface DeliveryReport {
  readonly challengeId: string
  /** Whose mail it was: this, or the next. */
  readonly issuanceId?: string
  readonly noticeId?: string
  readonly attempt: number
  /**
   * `unrecorded`: whatever happened to the mail could not be stored; it is due again when the lease ends. `outdated`:
   * something else was stored about the mail first, such as the next claim after a lost lease, and this attempt left no trace.
   */
  readonly outcome: OtpIssuance['status'] | 'unrecorded' | 'outdated'
  /** Who took the mail, if somebody did; also of an attempt that could not be stored or was outdated. */
  readonly transport?: string
  /** Of the trace that the attempt is part of, if it is traced. */
  readonly traceId?: string
  readonly error?: unknown
}

/** Begins to hand over a mail that has been claimed, and tells what came of it. Never rejects. */
export type DeliveryAttempt = () => Promise<DeliveryReport>

/**
 * How long a claim lasts: outlives a hand-over (twenty seconds at most, see `MailTransport`) with room for a slow database
 * behind it.
 */
export const LEASE_IN_SECONDS = 30

/** What becomes of a mail by what the mail system says to it. */
export interface SendOutcomes<Fate> {
  taken(messageId: string | undefined): Fate
  /** For good. */
  refused(): Fate
  /** Not now, or nobody knows. */
  deferred(): Fate
}

/** Gives a mail to the mail system. @throws what is not the mail system's word but a defect. */
export async function sendMail<Outcome>(
  transport: MailTransport,
  message: MailMessage,
  outcomes: SendOutcomes<Outcome>,
): Promise<{ readonly decided: Outcome; readonly transport?: string; readonly error?: unknown }> {
  try {
    const { messageId, transport: taker } = await transport.send(message)
    return { decided: outcomes.taken(messageId), transport: taker }
  } catch (error) {
    if (error instanceof MailRefused) return { decided: outcomes.refused(), error }
    if (error instanceof MailUnavailable) return { decided: outcomes.deferred(), error }
    throw error
  }
}
