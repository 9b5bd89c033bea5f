/** A mail as the development mailbox keeps it. */
export interface MailboxMessage {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly sentAt: Date
}

/** Where mails of a development set-up can be read. Not bound in production. */
export abstract class Mailbox {
  /** Mails to `to`, or to anybody; newest first. */
  abstract list(to?: string): Promise<readonly MailboxMessage[]>

  /** The mail of this id; undefined if there is none (any more), or it is no id. */
  abstract find(id: string): Promise<MailboxMessage | undefined>
}
