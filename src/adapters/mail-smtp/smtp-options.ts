import type { BounceAddresses } from '../../contracts/bounce-addresses.ts'
import type { ClientCredentials } from './client-credentials.ts'
import type { DkimKeyOfDomain } from './dkim-signer.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:587` or `smtps://user:password@host:465`, with percent-encoded user and password. */
  readonly url: string
  /** The sender of mails that have none of their own: one mailbox, as in `Countersign <no-reply@bank.example>`. */
  readonly from: string
  /** The mailbox that gets the answers to those mails. Undefined: the sender. */
  readonly replyTo?: string | undefined
  /** The name of this client in EHLO. Undefined: the best that {@link ehloName} finds. */
  readonly ehloName?: string | undefined
  /** Undefined: the login is the password in `url`, if there is one. */
  readonly oauth?: ClientCredentials | undefined
  /** The first key of a sender's domain signs its mails. Without one the relay signs, or nobody does. */
  readonly dkimKeys?: readonly DkimKeyOfDomain[] | undefined
  /** The envelope senders of mails with a code. Undefined: notices about them go to the sender. */
  readonly bounceAddresses?: BounceAddresses | undefined
  /** After this time the transport gives up on a mail that the server has not accepted, as the port promises. */
  readonly timeoutInMs?: number
}
