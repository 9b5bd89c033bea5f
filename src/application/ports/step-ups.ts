import type { Challenge, Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent, Forgery } from '../../domain/domain-event.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User, Whereabouts } from '../../domain/user.ts'
import type { Provenance } from './provenance.ts'

/** What a decision depends on, as it stood at one instant. */
export interface LoadedStepUp extends StepUp {
  /** The subject's entry in the directory. */
  readonly user: User | undefined
  /** What a directory in another system says about the subject; undefined if the users are in our own. */
  readonly elsewhere?: Whereabouts | undefined
}

export interface StoredDemand {
  readonly challenge: Challenge
  /** False if an earlier call with the idempotency key stored it. */
  readonly created: boolean
  /** How the demand of that earlier call shows that somebody else wrote it, whatever its status. */
  readonly forgery?: Forgery | undefined
}

export type StrangerEvent = Extract<ChallengeEvent, { readonly type: 'stranger-refused' }>

/** Stores challenges with every decision about them, for any number of processes at the same time. */
export abstract class StepUps {
  /**
   * Stores a new challenge and its event. If its client used the idempotency key before, stores nothing and returns the
   * challenge of that first call. However many calls use one key at the same time, one of them stores.
   *
   * @param mostLive live challenges that the subject may have at the client, with this one. Undefined: any number.
   * @throws {IdempotencyKeyReused} if the client used the key with another fingerprint.
   * @throws {LiveChallengesSpent} if the subject has that many.
   * @throws {StorageUnavailable}
   */
  abstract open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
    mostLive?: number,
  ): Promise<StoredDemand>

  /**
   * Reads everything that a decision depends on. Writes nothing. Sets `forgery` if somebody else wrote what it read: a live or
   * consumed challenge is then not the one that was stored.
   * Undefined if there is no such challenge. `challengeId` must be a canonical UUID.
   *
   * @throws {StorageUnavailable} @throws {UnknownOtpKey} if the key of a seal is not configured.
   * @throws {DirectoryUnavailable} if another system keeps the entry and does not answer in time.
   */
  abstract load(challengeId: string): Promise<LoadedStepUp | undefined>

  /**
   * Stores the decision and its events, all or nothing, if no other decision about the subject was stored since the load.
   * Returns false if one was: load and decide again. Stores the trace context of the provenance with an issued code.
   *
   * @throws {IssuancesSpent} if the mailbox of the issued code had as many as it may in the last hour. Nothing was stored.
   * @throws {StorageUnavailable} The decision may have been stored.
   */
  abstract save(decision: StepUpDecision, provenance: Provenance): Promise<boolean>

  /**
   * Stores that a user tried a challenge of somebody else: once for each user and challenge, and for ten users at most. Any number
   * of attempts thus leaves a bounded trail. Reads and locks nothing of the challenge and of its subject.
   *
   * @throws {StorageUnavailable} It may have been stored.
   */
  abstract recordStranger(event: StrangerEvent, provenance: Provenance): Promise<void>
}
