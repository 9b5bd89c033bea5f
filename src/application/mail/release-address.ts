import { EmailAddress } from '../../domain/email-address.ts'
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
    const mailbox = EmailAddress.mailboxNamed(address)
    if (mailbox === undefined) return 0
    const subjects = await this.#suppressions.findByMailbox(mailbox)
    for (const { subjectUserId } of subjects) {
      await liftSuppression(this.#suppressions, subjectUserId, earlier(at, this.#clock.now()), {
        actor: MAIL_SYSTEM,
        ...origin,
      })
    }
    return subjects.length
  }
}
