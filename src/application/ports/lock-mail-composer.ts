import type { MailMessage } from './mail-transport.ts'

/** What a locked subject needs to know. */
export interface LockWarning {
  readonly lockedUntil: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
  /** Where the reader can report that it was not they. Undefined: the mail has no link. */
  readonly reportUrl?: string | undefined
}

/** Writes the mail that warns of a lock. */
export abstract class LockMailComposer {
  /** Subject, text and HTML. The subject line is the same for everyone: lock screens show it, and providers keep it. */
  abstract compose(warning: LockWarning): Pick<MailMessage, 'subject' | 'text' | 'html'>
}
