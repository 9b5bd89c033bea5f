import type { SummaryLine } from '../../domain/operation.ts'
import type { MailMessage } from './mail-transport.ts'

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

/** Puts an OTP notice into words. */
export abstract class OtpMailComposer {
  /**
   * Subject, text and HTML. The subject never holds the code, nor anything of the operation: subjects are shown
   * on locked screens and kept by providers. Nothing in the summary can change how the rest reads.
   */
  abstract compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'>
}
