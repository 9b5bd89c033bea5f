import { type User, UserNotFound } from '../../domain/user.ts'
import type { UserDirectory } from '../ports/user-directory.ts'

/** Finds a user's entry in the directory. */
export class FindUser {
  readonly #directory: UserDirectory

  constructor(directory: UserDirectory) {
    this.#directory = directory
  }

  /** @throws {UserNotFound} @throws {DirectoryUnavailable} */
  async execute(userId: string): Promise<User> {
    const user = await this.#directory.find(userId)
    if (!user) throw new UserNotFound()
    return user
  }
}
