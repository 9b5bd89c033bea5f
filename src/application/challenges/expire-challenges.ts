import { secondsAfter } from '../../domain/instant.ts'
import type { ChallengeExpiries } from '../ports/challenge-expiries.ts'
import type { Clock } from '../ports/clock.ts'

/** Small enough that decisions about these subjects do not notice. */
const BATCH_SIZE = 100
/** Clocks of processes differ by less. Until then a process may still believe that the challenge can be decided. */
const PATIENCE_IN_SECONDS = 2

/** Records that challenges have ended by the clock, so that their services hear of it without asking. */
export class ExpireChallenges {
  readonly #expiries: ChallengeExpiries
  readonly #clock: Clock

  constructor(expiries: ChallengeExpiries, clock: Clock) {
    this.#expiries = expiries
    this.#clock = clock
  }

  /** @throws {StorageUnavailable} What was recorded before stays. */
  async execute(signal?: AbortSignal): Promise<void> {
    const before = secondsAfter(this.#clock.now(), -PATIENCE_IN_SECONDS)
    for (let taken = BATCH_SIZE; taken === BATCH_SIZE && !signal?.aborted; ) {
      taken = await this.#expiries.take(before, BATCH_SIZE)
    }
  }
}
