/** A mail with a link to report that its operation was not the reader's. */
export type ReportedMail =
  | { readonly kind: 'otp'; readonly issuanceId: string }
  /** `challengeId`: the challenge whose wrong code caused the lock. */
  | { readonly kind: 'lock-notice'; readonly challengeId: string }

/**
 * The links with which the readers of mails report that an operation was not theirs. The token in a link shows that this service made
 * it for that one mail. It is no code and approves nothing.
 */
export abstract class ReportLinks {
  /** The link for a mail, always the same. @param mail has a canonical UUID. */
  abstract urlFor(mail: ReportedMail): string

  /** The mail that a token came in. Undefined unless this service made the token, whatever it looks like. */
  abstract mailOf(token: string): ReportedMail | undefined
}
