import type { Clock } from '../ports/clock.ts'
import type { Origin } from '../ports/provenance.ts'
import type { UserRegistry } from '../ports/user-directory.ts'

export interface EraseUserCommand {
  readonly userId: string
  readonly clientId: string
  readonly origin: Origin
}

/**
 * Erases a user's entry and addresses, and cancels their live challenges. A user without an entry is erased too: another directory may
 * have it. To erase an unknown user changes nothing.
 */
export class EraseUser {
  readonly #registry: Pick<UserRegistry, 'erase'>
  readonly #clock: Clock

  constructor(registry: Pick<UserRegistry, 'erase'>, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  async execute({ userId, clientId, origin }: EraseUserCommand): Promise<void> {
    await this.#registry.erase(userId, this.#clock.now(), { actor: `client:${clientId}`, ...origin })
  }
}
