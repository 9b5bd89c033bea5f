import { EmailAddress, EmailAddressMalformed } from '../../domain/email-address.ts'
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

/** Lifts the suppression of an address that the mail system sends to again, for every subject who has it. */
export class ReleaseAddress {
  readonly #suppressions: Suppressions
  readonly #clock: Clock

  constructor(suppressions: Suppressions, clock: Clock) {
    this.#suppressions = suppressions
    this.#clock = clock
  }

  /** Returns how many subjects had the address suppressed. */
  async execute({ address, at, origin }: ReleaseAddressCommand): Promise<number> {
    const subjects = await this.#suppressions.findByAddress(asStored(address))
    for (const { subjectUserId } of subjects) {
      await liftSuppression(this.#suppressions, subjectUserId, earlier(at, this.#clock.now()), {
        actor: MAIL_SYSTEM,
        ...origin,
      })
    }
    return subjects.length
  }
}

/** The spelling of the address that the service stores: a mail system may report the domain in another one. */
function asStored(address: string): string {
  try {
    return EmailAddress.parse(address)
  } catch (error) {
    if (error instanceof EmailAddressMalformed) return address
    throw error
  }
}
