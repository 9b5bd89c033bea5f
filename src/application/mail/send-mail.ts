import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import {
  type MailMessage,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../ports/mail-transport.ts'

/** The result of one attempt to send the mail of an issuance or of a lock notice. */
export interface DeliveryReport {
  /** Undefined for a security notice, which belongs to none. */
  readonly challengeId?: string
  /** The issuance or the notice whose mail it was: one of the two is set. */
  readonly issuanceId?: string
  readonly noticeId?: string
  readonly attempt: number
  /**
   * `unrecorded`: the result could not be stored, and the mail is due again when the lease ends. `outdated`: something else
   * was stored about the mail first, such as the next claim after a lost lease, so nothing is stored about this attempt.
   */
  readonly outcome: OtpIssuance['status'] | 'unrecorded' | 'outdated'
  /** The transport that accepted the mail, if one did, even if the result was not stored. */
  readonly transport?: string
  /** The trace that the attempt is part of, if it is traced. */
  readonly traceId?: string
  readonly error?: unknown
}

/** Sends a mail that was claimed, and resolves with the result. Never rejects. */
export type DeliveryAttempt = () => Promise<DeliveryReport>

/**
 * How long a claim lasts: longer than an attempt to send (twenty seconds at most, see `MailTransport`), with time left for a
 * slow database.
 */
export const LEASE_IN_SECONDS = 30

/** What to record about a mail, by the answer of the mail system. */
export interface SendOutcomes<Outcome> {
  taken(messageId: string | undefined): Outcome
  /** Permanently. @param reply in codes, if the mail system gave one. */
  refused(reply: string | undefined): Outcome
  /** The mail was not accepted now, or the outcome is unknown. */
  deferred(reply: string | undefined): Outcome
}

/** Sends a mail through the mail system. @throws any error that is a defect and no answer of the mail system. */
export async function sendMail<Outcome>(
  transport: MailTransport,
  message: MailMessage,
  outcomes: SendOutcomes<Outcome>,
): Promise<{ readonly decided: Outcome; readonly transport?: string; readonly error?: unknown }> {
  try {
    const { messageId, transport: taker } = await transport.send(message)
    return { decided: outcomes.taken(messageId), transport: taker }
  } catch (error) {
    if (error instanceof MailRefused) return { decided: outcomes.refused(error.reply), error }
    if (error instanceof MailUnavailable) return { decided: outcomes.deferred(error.reply), error }
    throw error
  }
}
