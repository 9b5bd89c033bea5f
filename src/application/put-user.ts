import { EmailAddress } from '../domain/email-address.ts'
import type { Clock } from './ports/clock.ts'
import type { User, UserRegistry } from './ports/user-directory.ts'

export interface PutUserCommand {
  readonly userId: string
  readonly email: string
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
  readonly clientId: string
  readonly requestId: string
}

/** Puts a user into the directory, or changes the entry. A changed e-mail address ends the user's live challenges. */
export class PutUser {
  readonly #registry: UserRegistry
  readonly #clock: Clock

  constructor(registry: UserRegistry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  /** @throws {EmailAddressMalformed} */
  async execute(command: PutUserCommand): Promise<{ readonly user: User; readonly created: boolean }> {
    const { userId, locale, displayName, clientId, requestId } = command
    const user = { userId, email: EmailAddress.parse(command.email), locale, displayName }

    const outcome = await this.#registry.put(user, this.#clock.now(), {
      actor: `client:${clientId}`,
      requestId,
    })
    return { user, created: outcome === 'created' }
  }
}
