/** More would only wait here: the search over all servers finds them as well. */
const MOST = 1000

/** The codes that this process has just issued, so that it finds their mails without a search over all servers. */
export class NewIssuances {
  readonly #ids = new Set<string>()

  add(issuanceId: string): void {
    if (this.#ids.size < MOST) this.#ids.add(issuanceId)
  }

  /** Takes up to `limit` out, the oldest first. */
  take(limit: number): readonly string[] {
    const taken = this.#ids.values().take(limit).toArray()
    for (const id of taken) this.#ids.delete(id)
    return taken
  }
}
