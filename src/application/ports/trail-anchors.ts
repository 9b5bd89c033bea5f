/** What an anchor says about the events since the one before. */
export interface TrailAnchor {
  /** The place among all anchors, from 1. */
  readonly number: number
  /** The ids of the events that it covers. An anchor without events has a first id behind its last one. */
  readonly firstId: number
  readonly lastId: number
  readonly events: number
  /** SHA-256 over the hashes of those events, in the order of their ids; base64url. */
  readonly digest: string
  /** The signature of the anchor before; empty for the first. */
  readonly previous: string
  /** In whole seconds. */
  readonly signedAt: Date
}

export interface SignedAnchor extends TrailAnchor {
  readonly keyId: string
  readonly signature: string
}

/** Stores the anchors of the trail, at most one for each hour of the storage's clock, for any number of processes. */
export abstract class TrailAnchors {
  /** The newest anchor; undefined without any. @throws {StorageUnavailable} */
  abstract newest(): Promise<(SignedAnchor & { readonly isOfThisHour: boolean }) | undefined>

  /**
   * An id such that every event up to it is stored: none with a lower one can still be committed. Undefined if a transaction that is
   * under way takes too long. @throws {StorageUnavailable} @throws the reason of an abort
   */
  abstract settledEnd(signal?: AbortSignal): Promise<number | undefined>

  /** Counts and digests the events with these ids. @throws {StorageUnavailable} @throws the reason of an abort */
  abstract digestOf(
    firstId: number,
    lastId: number,
    signal?: AbortSignal,
  ): Promise<Pick<TrailAnchor, 'events' | 'digest'>>

  /** False if this hour, or this number, has an anchor already. @throws {StorageUnavailable} */
  abstract store(anchor: SignedAnchor): Promise<boolean>
}

/** Signs anchors with the keys that the service publishes. */
export abstract class AnchorSigner {
  abstract sign(anchor: TrailAnchor): SignedAnchor
}

/** Knows public keys only. */
export abstract class AnchorVerifier {
  /** `unknown-key`: nobody can say, because the key that it names is not known. */
  abstract verify(anchor: SignedAnchor): 'genuine' | 'forged' | 'unknown-key'
}
