import type { Challenge, Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User } from '../../domain/user.ts'
import type { Provenance } from './provenance.ts'

/** Stores challenges with all that is decided about them, for any number of processes at once. */
export abstract class StepUps {
  /**
   * Stores a new challenge and its event, unless its client used the idempotency key before: then nothing is
   * stored and the challenge of that first call is returned. Of any number of parallel calls with one key, one stores.
   *
   * @throws {IdempotencyKeyReused} if the key came with another fingerprint.
   * @throws {StorageUnavailable}
   */
  abstract open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
  ): Promise<{ readonly challenge: Challenge; readonly created: boolean }>

  /**
   * Reads all that a decision depends on at one instant, with the directory's entry of the subject.
   * Undefined if there is no such challenge. `challengeId` must be a canonical UUID.
   *
   * @throws {StorageUnavailable}
   * @throws {DirectoryUnavailable} if the entry is in a directory elsewhere, which does not answer in time.
   */
  abstract load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined>

  /**
   * Stores the decision and its events, all or nothing, if nothing else was decided about the subject since
   * the load that it is based on. False if something was: load and decide again. The trace context of the provenance stays with
   * an issued code.
   *
   * @throws {StorageUnavailable} The decision may have been stored.
   */
  abstract save(decision: StepUpDecision, provenance: Provenance): Promise<boolean>
}
