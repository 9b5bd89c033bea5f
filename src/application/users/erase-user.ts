import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
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
 * have it. To erase an unknown user changes nothing. Where a changed address is held, an erased one always hears of it: its user has
 * that time to object.
 */
export class EraseUser {
  readonly #registry: Pick<UserRegistry, 'erase'>
  readonly #clock: Clock
  readonly #policy: Pick<StepUpPolicy, 'addressHoldInSeconds'>

  constructor(
    registry: Pick<UserRegistry, 'erase'>,
    clock: Clock,
    policy: Pick<StepUpPolicy, 'addressHoldInSeconds'>,
  ) {
    this.#registry = registry
    this.#clock = clock
    this.#policy = policy
  }

  async execute({ userId, clientId, origin }: EraseUserCommand): Promise<void> {
    const provenance = { actor: `client:${clientId}`, ...origin }
    await this.#registry.erase(userId, this.#clock.now(), provenance, this.#policy.addressHoldInSeconds > 0)
  }
}
