/** The caller that an access token proves. A user is never a client, and a client is never a user. */
export type Caller =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'client'; readonly clientId: string; readonly scopes: ReadonlySet<string> }

/** Checks the access tokens that the identity provider issues. */
export abstract class AccessTokens {
  /**
   * @throws {AccessTokenRefused} if the token is not valid, for any reason.
   * @throws {AccessTokenInsufficient} if it is valid, and does not allow its user to use this service.
   * @throws {IssuerUnavailable} if the issuer's keys cannot be fetched: the token may be valid.
   */
  abstract authenticate(token: string): Promise<Caller>
}

/** `reason` is for the log and is never sent to the caller: it would help an attacker to know which check failed. */
export class AccessTokenRefused extends Error {
  readonly reason: string
  constructor(reason: string) {
    super('The access token was refused')
    this.reason = reason
  }
}

/** The token is valid, but lacks what the operator demands of users' tokens. `reason` is for the log, as above. */
export class AccessTokenInsufficient extends Error {
  readonly reason: string
  constructor(reason: string) {
    super('The access token does not allow its user to use this service')
    this.reason = reason
  }
}

export class IssuerUnavailable extends Error {
  constructor(cause: unknown) {
    super('The keys of the token issuer cannot be fetched', { cause })
  }
}
