export interface ClientCredentials {
  /** The token endpoint of the identity provider. */
  readonly tokenUrl: string | URL
  readonly clientId: string
  readonly clientSecret: string
  /** The scopes, separated by spaces. */
  readonly scope: string
  readonly timeoutInMs?: number
  readonly fetch?: typeof globalThis.fetch
}
/**
 * A source of access tokens by the client credentials grant (RFC 6749 §4.4): asks once for all who wait, and again shortly before
 * the token's end. What it throws says the status of the token endpoint, and nothing that was sent or answered.
 */
export declare function clientCredentials(credentials: ClientCredentials): () => Promise<string>
