import { SubjectStanding } from '../../domain/subject-standing.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin } from '../ports/provenance.ts'
import type { Standings } from '../ports/standings.ts'
import type { UserDirectory } from '../ports/user-directory.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export interface UnlockSubjectCommand {
  readonly userId: string
  /** `client:<id>`, or `agent:<id>` for a person of the support. */
  readonly actor: string
  readonly origin: Origin
}

/**
 * Ends the lock of a subject before its time, and queues the mail that tells them. Changes nothing if the subject is not locked, so of
 * several calls for one lock one leaves an event and a mail.
 */
export class UnlockSubject {
  readonly #standings: Standings
  readonly #directory: UserDirectory
  readonly #clock: Clock

  constructor(standings: Standings, directory: UserDirectory, clock: Clock) {
    this.#standings = standings
    this.#directory = directory
    this.#clock = clock
  }

  /**
   * Returns whether this call ended a lock.
   *
   * @throws {DirectoryUnavailable} Nothing was stored: nobody would hear of the unlocking.
   * @throws {ConcurrencyConflict} @throws {StorageUnavailable} It may have been stored.
   */
  execute({ userId, actor, origin }: UnlockSubjectCommand): Promise<boolean> {
    return retryOnConflict('a lock', async () => {
      const standing = await this.#standings.find(userId)
      const now = this.#clock.now()
      const unlocking =
        standing &&
        SubjectStanding.isLocked(standing, now) &&
        SubjectStanding.unlock(standing, await this.#directory.find(userId), now)
      if (!unlocking) return { saved: true, result: false }
      const saved = await this.#standings.saveUnlocking(unlocking, { actor, ...origin })
      return { saved, result: true }
    })
  }
}
