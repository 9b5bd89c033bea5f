import { User, type UserDraft } from '../../domain/user.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin } from '../ports/provenance.ts'
import type { UserRegistry } from '../ports/user-directory.ts'

export interface PutUserCommand extends UserDraft {
  readonly clientId: string
  readonly origin: Origin
}

export interface PutUserOutcome {
  readonly user: User
  readonly created: boolean
  /** The command had a locale that could not be read. The user gets English. */
  readonly localeUnreadable: boolean
}

/** Creates or replaces a user's entry in the directory. A changed e-mail address cancels the user's live challenges. */
export class PutUser {
  readonly #registry: UserRegistry
  readonly #clock: Clock

  constructor(registry: UserRegistry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  /** @throws {UserMalformed} @throws {EmailAddressMalformed} */
  async execute({ clientId, origin, ...draft }: PutUserCommand): Promise<PutUserOutcome> {
    const user = User.parse(draft)
    const outcome = await this.#registry.put(user, this.#clock.now(), {
      actor: `client:${clientId}`,
      ...origin,
    })
    return { user, created: outcome === 'created', localeUnreadable: User.hasUnreadableLocale(draft) }
  }
}
