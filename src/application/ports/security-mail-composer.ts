import type { SecurityNoticeKind } from '../../domain/domain-event.ts'
import type { ComposedMail } from './mail-transport.ts'

/** What a user needs to know about something that was done in their name. */
export interface SecurityNews {
  /** The client that it is about, which may have a brand of its own. Undefined: no client. */
  readonly clientId?: string | undefined
  readonly kind: SecurityNoticeKind
  readonly happenedAt: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** Writes the mails of security notices. */
export abstract class SecurityMailComposer {
  /** Sender, subject, text and HTML. No code, no address and nothing of an operation: an attacker may read this mailbox. */
  abstract compose(news: SecurityNews): ComposedMail
}
