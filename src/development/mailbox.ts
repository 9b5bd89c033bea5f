/** A mail as the development mailbox keeps it. */
export interface MailboxMessage {
  readonly id: string
  /** Undefined: the sender of the installation. */
  readonly from?: string | undefined
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly sentAt: Date
}

/** Reads the mails that were sent in development. */
export abstract class Mailbox {
  /** The mails to `to`, or all mails; newest first. */
  abstract list(to?: string): Promise<readonly MailboxMessage[]>

  /** The mail with this id; undefined if it does not exist (any more) or the id is invalid. */
  abstract find(id: string): Promise<MailboxMessage | undefined>
}
