/** Whom a token is for: a service with its scopes, or a user. */
export type Bearer =
  | {
      readonly client_id: string
      readonly scope: string
    }
  | {
      readonly sub: string
    }
/**
 * From the issuer of a development set-up, which stands in for the bank's identity provider. In production a service has
 * `clientCredentials` of the kit in its place, and a user's token comes from signing in.
 */
export declare function developmentToken(countersignUrl: string, bearer: Bearer): Promise<string>
