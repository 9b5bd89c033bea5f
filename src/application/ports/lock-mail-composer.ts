import type { MailMessage } from './mail-transport.ts'

/** What a locked subject has to know. */
export interface LockWarning {
  readonly lockedUntil: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** Puts a warning of a lock into words. */
export abstract class LockMailComposer {
  /** Subject, text and HTML. The subject is the same for everybody: it is shown on locked screens and kept by providers. */
  abstract compose(warning: LockWarning): Pick<MailMessage, 'subject' | 'text' | 'html'>
}
