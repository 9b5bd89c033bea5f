import { type JSONWebKeySet } from 'jose'
/** What an authorisation says: this subject approved this operation for this client. */
export interface Authorisation {
  readonly challengeId: string
  readonly subjectUserId: string
  readonly clientId: string
  readonly operation: {
    readonly type: string
    readonly digest: string
  }
  /** How the subject proved to be there (RFC 8176). */
  readonly amr: readonly string[]
  readonly verifiedAt: Date
  readonly consumedAt: Date
  readonly expiresAt: Date
}
export interface AuthorisationExpectation {
  /** The service's keys, or where they are; fetched once, and again for a key that is not among them. */
  readonly jwks: URL | JSONWebKeySet
  /** The client that the approval was for, by its id. */
  readonly audience: string
  /** Of the operation that is about to be carried out. */
  readonly digest: string
  /** The instant to judge by; now if left out. */
  readonly at?: Date
}
/** It is not the service's statement, not about this operation, or past its time. */
export declare class AuthorisationRefused extends Error {
  readonly name = 'AuthorisationRefused'
}
/**
 * Checks an authorisation without asking the service, but for its keys.
 *
 * @throws {AuthorisationRefused} @throws what fetching the keys throws.
 */
export declare function verifyAuthorisation(
  authorisation: string,
  { jwks, audience, digest, at }: AuthorisationExpectation,
): Promise<Authorisation>
