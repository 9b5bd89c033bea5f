import type { SignedAnchor } from './trail-anchors.ts'

/** An event of a chain, with its hash as its row now has it. */
export interface ChainedEvent {
  readonly id: number
  readonly subjectUserId: string
  /** From 1. */
  readonly position: number
  readonly hash: string
}

/** An event as it is stored, and the event that it names as the one before. */
export type TrailEvent =
  /** From before the trail had chains. */
  | { readonly id: number; readonly position: undefined }
  | (ChainedEvent & {
      /** Undefined for the first of a subject. */
      readonly previousId: number | undefined
      /** The hash that the event carries; empty for the first. */
      readonly previousHash: string
      /** Undefined if no event has that id. */
      readonly previous: ChainedEvent | undefined
    })

/** The end of a chain, and the event that it names. */
export interface TrailHead {
  readonly subjectUserId: string
  readonly position: number
  readonly hash: string
  /** Undefined as long as the subject has no event. */
  readonly eventId: number | undefined
  readonly event: ChainedEvent | undefined
}

/** The whole trail as of one instant. Reads in batches, so that the size of the trail does not matter. */
export abstract class TrailSnapshot {
  /** Every event up to this id is purged. */
  abstract readonly purgedTo: number
  /** How long the owner of the storage keeps events at least. */
  abstract readonly minimumDays: number
  abstract anchors(): Promise<readonly SignedAnchor[]>
  /** In the order of their ids. */
  abstract events(): AsyncIterable<readonly TrailEvent[]>
  abstract heads(): AsyncIterable<readonly TrailHead[]>
  /** A digest of hashes, as {@link TrailAnchor.digest} is. */
  abstract digest(): { add(hash: string): void; value(): string }
}
