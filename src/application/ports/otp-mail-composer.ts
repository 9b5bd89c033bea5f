import type { EmailAddress } from '../../domain/email-address.ts'
import type { SummaryLine } from '../../domain/operation.ts'

/** What the user has to know to countersign or to refuse. */
export interface OtpNotice {
  readonly code: string
  /** The two letters that tell this mail from an earlier one of the same challenge. */
  readonly reference: string
  readonly summary: readonly SummaryLine[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** A mail ready to be sent. */
export interface MailMessage {
  /** Random id of what the mail carries; the only thing a provider may be told besides the mail itself. */
  readonly issuanceId: string
  /** The end of what it carries. Whoever tries to send it over again does not begin to from then on. */
  readonly expiresAt: Date
  readonly to: EmailAddress
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Puts an OTP notice into words. */
export abstract class OtpMailComposer {
  /**
   * Subject, text and HTML. The subject never holds the code, nor anything of the operation: subjects are shown
   * on locked screens and kept by providers. Nothing in the summary can change how the rest reads.
   */
  abstract compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'>
}
