import type { User } from '../../domain/user.ts'
import type { Provenance } from './provenance.ts'

/** Knows where a user's codes go. */
export abstract class UserDirectory {
  /**
   * The entry of a user with an address that mail may go to; undefined if there is no such user or address.
   *
   * @throws {DirectoryUnavailable} if the directory cannot tell.
   */
  abstract find(userId: string): Promise<User | undefined>
}

/** The directory where this service keeps it itself. */
export abstract class UserRegistry extends UserDirectory {
  /**
   * Stores the entry. If that changes the user's e-mail address, every live challenge of the user is cancelled
   * with it, all or nothing: no code may go, or count, where an earlier address said.
   */
  abstract put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'>

  /** Stores several entries as {@link put} does, all of them or none. */
  abstract putAll(
    users: readonly User[],
    now: Date,
    provenance: Provenance,
  ): Promise<{ readonly created: number; readonly updated: number }>

  /**
   * Forgets the user: the entry, and every address that a mail was sent to. Live challenges are cancelled with it, and lock
   * notices withdrawn that are still queued, all or nothing; the audit trail stays, which holds no address. Without effect
   * if there is no such user.
   */
  abstract erase(userId: string, now: Date, provenance: Provenance): Promise<void>
}

/** A directory elsewhere does not answer, or not in time. Worth a retry. */
export class DirectoryUnavailable extends Error {
  /** @param reason without values: it ends in logs. */
  constructor(reason: string) {
    super(`The user directory is not available: ${reason}`)
  }
}
