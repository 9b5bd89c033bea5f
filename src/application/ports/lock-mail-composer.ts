import type { ComposedMail } from './mail-transport.ts'

/** What a locked subject needs to know. */
export interface LockWarning {
  /** The client whose operation it is about, which may have a brand of its own. Undefined: no client. */
  readonly clientId?: string | undefined
  readonly lockedUntil: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** Writes the mail that warns of a lock. */
export abstract class LockMailComposer {
  /** Sender, subject, text and HTML. The subject line is the same for everyone: lock screens show it, and providers keep it. */
  abstract compose(warning: LockWarning): ComposedMail
}
