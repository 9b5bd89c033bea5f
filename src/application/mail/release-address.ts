import { earlier } from '../../domain/instant.ts'
import type { Clock } from '../ports/clock.ts'
import { MAIL_SYSTEM, type Origin } from '../ports/provenance.ts'
import type { Suppressions } from '../ports/suppressions.ts'
import { liftSuppression } from './lift-suppression.ts'

export interface ReleaseAddressCommand {
  readonly address: string
  readonly at: Date
  readonly origin: Origin
}

/** The mail system sends to an address again: lifts its suppression for all whose address it is. */
export class ReleaseAddress {
  readonly #suppressions: Suppressions
  readonly #clock: Clock

  constructor(suppressions: Suppressions, clock: Clock) {
    this.#suppressions = suppressions
    this.#clock = clock
  }

  /** Gives the number of subjects concerned. */
  async execute({ address, at, origin }: ReleaseAddressCommand): Promise<number> {
    const concerned = await this.#suppressions.findByAddress(address)
    for (const { subjectUserId } of concerned) {
      await liftSuppression(this.#suppressions, subjectUserId, earlier(at, this.#clock.now()), {
        actor: MAIL_SYSTEM,
        ...origin,
      })
    }
    return concerned.length
  }
}
