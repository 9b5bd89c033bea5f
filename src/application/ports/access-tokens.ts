/** Who calls, as proved by an access token. A user is never a client and a client never a user. */
export type Caller =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'client'; readonly clientId: string; readonly scopes: ReadonlySet<string> }

/** Checks the access tokens that the identity provider issues. */
export abstract class AccessTokens {
  /**
   * @throws {AccessTokenRefused} if the token proves nothing, whatever the reason.
   * @throws {IssuerUnavailable} if the issuer's keys cannot be had: the token may be good.
   */
  abstract authenticate(token: string): Promise<Caller>
}

/** `reason` is for the log, never for the caller: which check failed is an attacker's question. */
export class AccessTokenRefused extends Error {
  readonly reason: string
  constructor(reason: string) {
    super('The access token was refused')
    this.reason = reason
  }
}

export class IssuerUnavailable extends Error {
  constructor(cause: unknown) {
    super('The keys of the token issuer cannot be had', { cause })
  }
}
