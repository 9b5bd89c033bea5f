import type { Caller } from '../application/ports/access-tokens.ts'

export interface IssuedToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
}

/** Issues access tokens for any caller, in development only. In production the identity provider issues them. */
export abstract class TokenIssuer {
  abstract issue(caller: Caller): Promise<IssuedToken>
}
