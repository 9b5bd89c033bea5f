import type { User, Whereabouts } from '../../domain/user.ts'
import type { Provenance } from './provenance.ts'

/** Knows the addresses that users' codes are mailed to. */
export abstract class UserDirectory {
  /**
   * The entry of a user with a usable address; undefined if there is no such user or address.
   *
   * @throws {DirectoryUnavailable} if the directory does not answer.
   */
  abstract find(userId: string): Promise<User | undefined>
}

/** A directory that another system keeps. It announces no change, so each decision asks it. */
export abstract class ExternalUserDirectory extends UserDirectory {
  /**
   * Tells a user who is gone from one without a usable address. Silence, a refused login and a fault are no answer.
   *
   * @throws {DirectoryUnavailable} as {@link find} does
   */
  abstract locate(userId: string): Promise<Whereabouts>
}

/** A directory that this service keeps itself. */
export abstract class UserRegistry extends UserDirectory {
  /**
   * Stores the entry, together with what follows from it (`User.changeEntry`), all or nothing.
   */
  abstract put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'>

  /** Stores several entries as {@link put} does, all of them or none. */
  abstract putAll(
    users: readonly User[],
    now: Date,
    provenance: Provenance,
  ): Promise<{ readonly created: number; readonly updated: number }>

  /**
   * Deletes the user's entry and every stored address that a mail was sent to, together with what follows (`User.erase`), all
   * or nothing. The audit trail stays: it contains no address. So do security notices that are queued, until they are sent or
   * a day old: they are warnings to that address. A user without an entry may have left addresses, too. Has no effect if nothing is
   * left to erase.
   *
   * @param tellsAddress as for `User.erase`. Default: false.
   */
  abstract erase(userId: string, now: Date, provenance: Provenance, tellsAddress?: boolean): Promise<void>
}

/** A directory in another system does not answer, or not in time. The call may be retried. */
export class DirectoryUnavailable extends Error {
  /** @param reason without values, because it is logged. */
  constructor(reason: string) {
    super(`The user directory is not available: ${reason}`)
  }
}
