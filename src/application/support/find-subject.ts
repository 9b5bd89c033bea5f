import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { SubjectStanding } from '../../domain/subject-standing.ts'
import { User, UserNotFound, type Whereabouts } from '../../domain/user.ts'
import type { Clock } from '../ports/clock.ts'
import type { Standings } from '../ports/standings.ts'

export interface FoundSubject {
  readonly subjectUserId: string
  /** What the directory says. An answer shows the address only masked. */
  readonly whereabouts: Whereabouts
  readonly standing: SubjectStanding
  /** How many wrong codes are left before a lock; 0 while a lock lasts. */
  readonly attemptsRemaining: number
  /** When the lock ends; undefined without one. */
  readonly lockedUntil: Date | undefined
  readonly issuancesOfLastHour: number
  /** Until when a lock, the codes of the last hour, or a new address prevent another code; undefined if nothing does. */
  readonly noCodeUntil: Date | undefined
  /** Whether the address in the directory is the one that gets no mail. */
  readonly isUnreachable: boolean
}

/** Shows the support how a subject stands. Changes nothing. */
export class FindSubject {
  readonly #standings: Pick<Standings, 'find'>
  readonly #locate: (userId: string) => Promise<Whereabouts>
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  /** @param locate asks the directory, wherever it is. */
  constructor(
    standings: Pick<Standings, 'find'>,
    locate: (userId: string) => Promise<Whereabouts>,
    clock: Clock,
    policy: StepUpPolicy,
  ) {
    this.#standings = standings
    this.#locate = locate
    this.#clock = clock
    this.#policy = policy
  }

  /**
   * @throws {UserNotFound} if neither the directory knows the user nor any decision was made about them.
   * @throws {StorageUnavailable} @throws {DirectoryUnavailable}
   */
  async execute(subjectUserId: string): Promise<FoundSubject> {
    const [known, whereabouts] = await Promise.all([
      this.#standings.find(subjectUserId),
      this.#locate(subjectUserId),
    ])
    const { user } = whereabouts
    if (!known && !user) throw new UserNotFound()

    const standing = known ?? SubjectStanding.blank(subjectUserId)
    const now = this.#clock.now()
    const ends = [
      SubjectStanding.issuanceBarredUntil(standing, this.#policy, now),
      user && User.heldUntil(user, this.#policy, now),
    ].filter((end) => end !== undefined)
    return {
      ...{ subjectUserId, whereabouts, standing },
      attemptsRemaining: SubjectStanding.attemptsRemaining(standing, this.#policy, now),
      lockedUntil: SubjectStanding.isLocked(standing, now) ? standing.lockedUntil : undefined,
      issuancesOfLastHour: SubjectStanding.issuancesOfLastHour(standing, now),
      noCodeUntil: ends.toSorted((one, other) => one.getTime() - other.getTime()).at(-1),
      isUnreachable: user !== undefined && SubjectStanding.isSuppressed(standing, user.email),
    }
  }
}
