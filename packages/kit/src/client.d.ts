import { Challenge, ConsumedChallenge, OpenedChallenge, User } from './answers.ts'
/** What the user is to countersign. */
export interface Demand {
  readonly subjectUserId: string
  readonly operation: {
    /** The kind of the operation, in the words of its service: `payments.initiate`. */
    readonly type: string
    /** See `operationDigest`. */
    readonly digest: string
    /** What the user reads in the mail. */
    readonly summary: readonly {
      readonly label: string
      readonly value: string
    }[]
  }
  /** As long as the service is configured to let it live, if left out. */
  readonly expiresInSeconds?: number
}
/** What comes back from the user's app, and what it is about to allow. */
export interface Proof {
  readonly signature: string
  readonly digest: string
}
export interface DirectoryEntry {
  readonly email: string
  /** A BCP 47 tag. */
  readonly locale?: string
  readonly displayName?: string
}
export interface CountersignClientOptions {
  /** Where the service is, with the prefix that a gateway may give it. */
  readonly baseUrl: string | URL
  /** The access token of this service, asked for before each attempt: `clientCredentials`, or a source of your own. */
  readonly accessToken: () => string | Promise<string>
  /** Of one attempt. */
  readonly timeoutInMs?: number
  /** Attempts after the first one. */
  readonly retries?: number
  readonly fetch?: typeof globalThis.fetch
}
export interface CallOptions {
  /** Ends the call with the signal's own reason. */
  readonly signal?: AbortSignal
}
export interface IdempotentCallOptions extends CallOptions {
  /** The name of this call, 1 to 255 visible ASCII characters: again under the same name, it has no second effect. */
  readonly idempotencyKey?: string
}
export interface CallOfUserOptions extends CallOptions {
  /** The user's own access token. */
  readonly accessToken: string
}
/**
 * The calls of an operation service, and of a back end that calls for its user.
 *
 * Every call rejects with a `CountersignError`, a signal's reason, or a `TypeError` for an argument that cannot be sent. It is sent
 * again, under the same idempotency key, when there was no answer or one of 429, 502, 503 and 504; what would cost the user a guess
 * or a mail is not.
 */
export declare class CountersignClient {
  #private
  /** @throws {TypeError} if the base URL is none, or has more than a path. */
  constructor({ baseUrl, accessToken, timeoutInMs, retries, fetch }: CountersignClientOptions)
  /** Where the keys are that authorisations are signed with. */
  get jwksUrl(): URL
  /** `created` is false if the same call opened it before. */
  openChallenge(
    demand: Demand,
    { signal, idempotencyKey }?: IdempotentCallOptions,
  ): Promise<
    OpenedChallenge & {
      readonly created: boolean
    }
  >
  inspectChallenge(challengeId: string, { signal }?: CallOptions): Promise<Challenge>
  /** The key follows from the challenge unless there is one, so that whoever died in the midst of it can just call again. */
  consumeChallenge(
    challengeId: string,
    { signature, digest }: Proof,
    { signal, idempotencyKey }?: IdempotentCallOptions,
  ): Promise<ConsumedChallenge>
  cancelChallenge(challengeId: string, { signal }?: CallOptions): Promise<void>
  putUser(
    userId: string,
    { email, locale, displayName }: DirectoryEntry,
    { signal }?: CallOptions,
  ): Promise<User>
  findUser(userId: string, { signal }?: CallOptions): Promise<User | undefined>
  eraseUser(userId: string, { signal }?: CallOptions): Promise<void>
  liftSuppression(userId: string, { signal }?: CallOptions): Promise<void>
  /** For a back end that holds the tokens of its users: has a code mailed. Sent once. */
  initiateEmail(challengeId: string, { accessToken, signal }: CallOfUserOptions): Promise<void>
  /** For a back end that holds the tokens of its users: gives the code. Sent once, since a wrong code costs an attempt. */
  verifyEmail(challengeId: string, totp: string, { accessToken, signal }: CallOfUserOptions): Promise<void>
}
/** The paths that the user's app calls about a challenge, as the service tells them when it is opened. */
export declare function methodsOf(challengeId: string): OpenedChallenge['methods']
export type { Challenge, ConsumedChallenge, OpenedChallenge, User } from './answers.ts'
export { type Authorisation, AuthorisationRefused, verifyAuthorisation } from './authorisation.ts'
export { type ClientCredentials, clientCredentials } from './client-credentials.ts'
export { CountersignError, type CountersignErrorCode, type FieldError } from './countersign-error.ts'
export { OperationNotCanonical, operationDigest } from './operation-digest.ts'
