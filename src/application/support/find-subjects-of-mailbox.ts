import type { SupportSearch } from '../ports/support-search.ts'

/** Finds users by the hash of their address, so that no address has to be typed where it may be logged. Changes nothing. */
export class FindSubjectsOfMailbox {
  readonly #search: Pick<SupportSearch, 'subjectsOfMailbox'>

  constructor(search: Pick<SupportSearch, 'subjectsOfMailbox'>) {
    this.#search = search
  }

  /**
   * Their ids. With a directory elsewhere it knows only addresses that get no mail.
   *
   * @param hash SHA-256 of the address in lower case, in hexadecimal, in either case.
   * @throws {StorageUnavailable}
   */
  execute(hash: string): Promise<readonly string[]> {
    return this.#search.subjectsOfMailbox(hash.toLowerCase())
  }
}
