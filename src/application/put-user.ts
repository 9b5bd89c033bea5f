import { EmailAddress } from '../domain/email-address.ts'
import type { Clock } from './ports/clock.ts'
import type { User, UserDirectory } from './ports/user-directory.ts'

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
  readonly #directory: UserDirectory
  readonly #clock: Clock

  constructor(directory: UserDirectory, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
  }

  /** @throws {EmailAddressMalformed} */
  async execute(command: PutUserCommand): Promise<{ readonly user: User; readonly created: boolean }> {
    const { userId, locale, displayName, clientId, requestId } = command
    const user = { userId, email: EmailAddress.parse(command.email), locale, displayName }

    const outcome = await this.#directory.put(user, this.#clock.now(), {
      actor: `client:${clientId}`,
      requestId,
    })
    return { user, created: outcome === 'created' }
  }
}
