import type { Caller } from '../application/ports/access-tokens.ts'

export interface IssuedToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
}

/** Issues access tokens to whoever asks, in development only; in production the identity provider does. */
export abstract class TokenIssuer {
  abstract issue(caller: Caller): Promise<IssuedToken>
}
