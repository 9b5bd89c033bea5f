import type { Clock } from '../ports/clock.ts'
import type { AnchorSigner, SignedAnchor, TrailAnchors } from '../ports/trail-anchors.ts'

/** Signs a statement about the newest events, once an hour over all processes. */
export class AnchorTrail {
  readonly #anchors: TrailAnchors
  readonly #signer: AnchorSigner
  readonly #clock: Clock

  constructor(anchors: TrailAnchors, signer: AnchorSigner, clock: Clock) {
    this.#anchors = anchors
    this.#signer = signer
    this.#clock = clock
  }

  /**
   * Gives the anchor if this process stored one. Undefined if this hour has its anchor already, or if a transaction that is under
   * way holds it up. @throws {StorageUnavailable} @throws the reason of an abort
   */
  async execute(signal?: AbortSignal): Promise<SignedAnchor | undefined> {
    const newest = await this.#anchors.newest()
    if (newest?.isOfThisHour) return undefined
    const lastId = await this.#anchors.settledEnd(signal)
    if (lastId === undefined) return undefined

    // The first anchor covers nothing: it marks where anchors begin.
    const firstId = (newest?.lastId ?? lastId) + 1
    const anchor = this.#signer.sign({
      number: (newest?.number ?? 0) + 1,
      firstId,
      lastId: Math.max(lastId, firstId - 1),
      ...(await this.#anchors.digestOf(firstId, lastId, signal)),
      previous: newest?.signature ?? '',
      signedAt: wholeSeconds(this.#clock.now()),
    })
    return (await this.#anchors.store(anchor)) ? anchor : undefined
  }
}

function wholeSeconds(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000)
}
