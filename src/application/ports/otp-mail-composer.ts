import type { SummaryLine } from '../../domain/operation.ts'
import type { ComposedMail } from './mail-transport.ts'

/** What the user needs to know to countersign or to refuse. */
export interface OtpNotice {
  /** The client whose operation it is about, which may have a brand of its own. Undefined: no client. */
  readonly clientId?: string | undefined
  readonly code: string
  /** The two letters that distinguish this mail from earlier ones of the same challenge. */
  readonly reference: string
  readonly summary: readonly SummaryLine[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** Writes the mail that carries a code. */
export abstract class OtpMailComposer {
  /**
   * Sender, subject, text and HTML. The subject line contains neither the code nor anything about the operation: lock screens show
   * it, and providers keep it. No text in the summary can change how the rest of the mail reads.
   */
  abstract compose(notice: OtpNotice): ComposedMail
}
