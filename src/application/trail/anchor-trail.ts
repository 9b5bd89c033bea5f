import type { Clock } from '../ports/clock.ts'
import type { AnchorSigner, AnchorVerifier, SignedAnchor, TrailAnchors } from '../ports/trail-anchors.ts'

/** What one look at the trail came to. */
export interface Anchoring {
  /** The anchor, if this process stored one. */
  readonly anchor?: SignedAnchor
  /** The newest anchor before it, if nobody can be sure that this service signed that one. */
  readonly doubt?: AnchorDoubt
}

export interface AnchorDoubt {
  readonly number: number
  readonly keyId: string
  /** The ids of the events that it claims to cover. No anchor of ours covers them. */
  readonly firstId: number
  readonly lastId: number
  readonly verdict: Exclude<ReturnType<AnchorVerifier['verify']>, 'genuine'>
}

/** Signs a statement about the newest events, once an hour over all processes. */
export class AnchorTrail {
  readonly #anchors: TrailAnchors
  readonly #signer: AnchorSigner
  readonly #verifier: AnchorVerifier
  readonly #clock: Clock

  constructor(anchors: TrailAnchors, signer: AnchorSigner, verifier: AnchorVerifier, clock: Clock) {
    this.#anchors = anchors
    this.#signer = signer
    this.#verifier = verifier
    this.#clock = clock
  }

  /**
   * Stores no anchor if this hour has one already, or if a transaction that is under way holds it up. Verifies the newest anchor
   * first, in any case. One in doubt is followed all the same: otherwise its author would end anchoring for ever.
   *
   * @throws {StorageUnavailable} @throws the reason of an abort
   */
  async execute(signal?: AbortSignal): Promise<Anchoring> {
    const newest = await this.#anchors.newest()
    const doubt = newest && this.#doubtAbout(newest)
    const anchor = newest?.isOfThisHour ? undefined : await this.#follow(newest, signal)
    return { ...(anchor && { anchor }), ...(doubt && { doubt }) }
  }

  #doubtAbout(newest: SignedAnchor): AnchorDoubt | undefined {
    const verdict = this.#verifier.verify(newest)
    if (verdict === 'genuine') return undefined
    const { number, keyId, firstId, lastId } = newest
    return { number, keyId, firstId, lastId, verdict }
  }

  async #follow(
    newest: SignedAnchor | undefined,
    signal: AbortSignal | undefined,
  ): Promise<SignedAnchor | undefined> {
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
