import type { JSONWebKeySet } from 'jose'
import { type CountersignClient } from './client.ts'
import type { ExecutionStore, StoredResponse } from './execution-store.ts'
/** What a protected handler may know about the approval that it runs by. */
export interface StepUp {
  /** Unique to this run: a unique column of it on the operation's own row makes a second run impossible. */
  readonly challengeId: string
  readonly subjectUserId: string
  /** The signed statement of the approval, to be kept with the operation. */
  readonly authorisation: string
  readonly verifiedAt: Date
}
export interface ProtectedOperation {
  /** The kind of the operation, in the words of this service: `payments.initiate`. */
  readonly type: string
  /** All that decides what will be done, as JSON. What is not in it can be changed after the user has countersigned. */
  readonly request: unknown
  /** What the user reads in the mail. */
  readonly summary: readonly {
    readonly label: string
    readonly value: string
  }[]
  readonly expiresInSeconds?: number
}
export interface StepUpOptions<Request> {
  readonly client: Pick<
    CountersignClient,
    'openChallenge' | 'inspectChallenge' | 'consumeChallenge' | 'jwksUrl'
  >
  /** The client id of this service at its identity provider: authorisations are for it. */
  readonly clientId: string
  /** The user who calls, as authentication found out before; undefined for nobody. */
  readonly subjectUserId: (request: Request) => string | undefined | Promise<string | undefined>
  readonly operation: (request: Request) => ProtectedOperation | Promise<ProtectedOperation>
  /**
   * Who makes the operation run once. `in-the-handler`: it runs for every repeat of an approved call, and has to find by the challenge
   * id what it did before.
   */
  readonly executions: ExecutionStore | 'in-the-handler'
  /** The service's keys; fetched from it if left out. */
  readonly jwks?: URL | JSONWebKeySet
  /** For the log of this service; not told to the user's app is the cause. */
  readonly onRefused?: (refusal: StepUpRefusal) => void
  /** The operation ran, and its answer went out, but a repeat will not get it. */
  readonly onNotRecorded?: (challengeId: string, cause: unknown) => void
}
export interface StepUpRefusal {
  readonly code: RefusalCode
  readonly subjectUserId: string | undefined
  readonly challengeId: string | undefined
  readonly cause?: unknown
}
type RefusalCode = keyof typeof REFUSALS
/** What is answered instead of running the operation, or running it again. */
interface StepUpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}
export type StepUpDecision =
  | {
      readonly decision: 'answer'
      readonly answer: StepUpAnswer
    }
  | {
      readonly decision: 'run'
      readonly stepUp: StepUp
      readonly running: Running
    }
/** A run that has begun. None of this rejects. */
export interface Running {
  /** What the handler answered; a status of 500 and more counts as a failure. */
  finish(response: StoredResponse): Promise<void>
  /** The handler failed without an answer. */
  abandon(): Promise<void>
  /** The handler is done, but its answer cannot be had: no repeat may run it again. */
  lose(cause: unknown): void
}
declare const REFUSALS: {
  readonly OPERATION_NOT_VALID: {
    readonly status: 400
    readonly message: 'The operation cannot be countersigned as it is'
  }
  readonly CHALLENGE_REFERENCE_NOT_VALID: {
    readonly status: 400
    readonly message: 'Challenge id and signature belong together'
  }
  readonly UNAUTHORIZED: {
    readonly status: 401
    readonly message: 'A user has to be signed in'
  }
  readonly OPERATION_DOES_NOT_MATCH_CHALLENGE: {
    readonly status: 403
    readonly message: 'What was countersigned is not what was asked for now'
  }
  readonly SUBJECT_DOES_NOT_MATCH_CHALLENGE: {
    readonly status: 403
    readonly message: 'The challenge is about another user'
  }
  readonly CHALLENGE_ALREADY_CONSUMED: {
    readonly status: 409
    readonly message: 'The approval was used elsewhere'
  }
  readonly OPERATION_UNDER_WAY: {
    readonly status: 409
    readonly message: 'The operation is being carried out'
  }
  readonly OUTCOME_NOT_KNOWN: {
    readonly status: 409
    readonly message: 'The operation may have been carried out before'
  }
  readonly IDEMPOTENCY_KEY_REUSED: {
    readonly status: 422
    readonly message: 'The idempotency key was used with another request'
  }
  readonly STEP_UP_UNAVAILABLE: {
    readonly status: 503
    readonly message: 'Countersigning is not possible for the moment'
  }
}
/** Decides whether a request may run its operation. Knows no framework. */
export declare class StepUpGate<Request> {
  #private
  constructor(options: StepUpOptions<Request>)
  /** @throws what `subjectUserId` and `operation` throw, and nothing else: in doubt the operation does not run. */
  decide(request: Request, header: (name: string) => string | undefined): Promise<StepUpDecision>
}
/** Notes for the handler what its request runs by. */
export declare function rememberStepUp(request: object, stepUp: StepUp): void
/**
 * What the request runs by.
 *
 * @throws {Error} where no `requireStepUp` stands before the handler: without it nobody has countersigned.
 */
export declare function stepUpOf(request: object): StepUp
