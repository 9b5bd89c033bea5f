import type { AnchorVerifier, SignedAnchor } from '../ports/trail-anchors.ts'
import type { TrailEvent, TrailHead, TrailSnapshot } from '../ports/trail-snapshot.ts'

export interface TrailReport {
  readonly events: number
  /** Events from before the trail had chains. Nothing protects them. */
  readonly eventsFromBefore: number
  readonly subjects: number
  readonly anchors: number
  /** When the newest anchor was signed. What came later, no anchor covers. */
  readonly anchoredAt: Date | undefined
  /** Every event up to this id is purged; 0 if none is. */
  readonly purgedTo: number
  readonly problemCount: number
  /** The first of them. */
  readonly problems: readonly string[]
}

const MOST_PROBLEMS = 100
const DAY_IN_MS = 86_400_000
/** An anchor is signed up to an hour after the newest of its events, and clocks differ. */
const TOLERANCE_IN_MS = DAY_IN_MS

/** Looks for everything that somebody changed, took out or added behind the back of the service. Changes nothing. */
export class VerifyTrail {
  readonly #trail: TrailSnapshot
  readonly #verifier: AnchorVerifier | undefined
  readonly #now: Date
  readonly #problems: string[] = []
  #problemCount = 0
  #events = 0
  #eventsFromBefore = 0
  /** Chains that have an event, by their first and by their last one. */
  #begun = 0
  #ended = 0
  #subjects = 0
  /** The events that the chains should have, by the places of their ends. */
  #expected = 0n

  /** @param verifier undefined if no key is known: then signatures are not checked. */
  constructor(trail: TrailSnapshot, verifier: AnchorVerifier | undefined, now: Date) {
    this.#trail = trail
    this.#verifier = verifier
    this.#now = now
  }

  /** @param kept anchors that were kept outside of the storage. @throws {StorageUnavailable} */
  async execute(kept: readonly SignedAnchor[]): Promise<TrailReport> {
    const anchors = await this.#trail.anchors()
    this.#checkAnchors(anchors)
    this.#compareKept(anchors, kept)
    await this.#checkEvents(new AnchoredRanges(anchors, this.#trail))
    for await (const heads of this.#trail.heads()) for (const head of heads) this.#checkHead(head)
    this.#count()
    return {
      events: this.#events,
      eventsFromBefore: this.#eventsFromBefore,
      subjects: this.#subjects,
      anchors: anchors.length,
      anchoredAt: anchors.at(-1)?.signedAt,
      purgedTo: this.#trail.purgedTo,
      problemCount: this.#problemCount,
      problems: this.#problems,
    }
  }

  #checkAnchors(anchors: readonly SignedAnchor[]): void {
    let before: SignedAnchor | undefined
    for (const anchor of anchors) {
      const { number, firstId, previous } = anchor
      if (number !== (before?.number ?? 0) + 1) this.#report(`an anchor before number ${number} is gone`)
      else if (before && (previous !== before.signature || firstId !== before.lastId + 1)) {
        this.#report(`anchor ${number} does not follow the one before`)
      }
      this.#checkSignature(anchor, '')
      before = anchor
    }
    const lastPurged = anchors.findLast(({ lastId }) => lastId <= this.#trail.purgedTo)
    const keptSince = this.#now.getTime() - this.#trail.minimumDays * DAY_IN_MS + TOLERANCE_IN_MS
    if (lastPurged && lastPurged.events > 0 && lastPurged.signedAt.getTime() > keptSince) {
      this.#report(
        `events up to anchor ${lastPurged.number} of ${lastPurged.signedAt.toISOString()} are purged, before ${this.#trail.minimumDays} days were over`,
      )
    }
  }

  #checkSignature(anchor: SignedAnchor, where: string): void {
    const verdict = this.#verifier?.verify(anchor)
    if (verdict === 'forged') this.#report(`the signature of anchor ${anchor.number}${where} is wrong`)
    if (verdict === 'unknown-key')
      this.#report(`anchor ${anchor.number}${where} names the key ${anchor.keyId}, which is not known here`)
  }

  #compareKept(anchors: readonly SignedAnchor[], kept: readonly SignedAnchor[]): void {
    const stored = new Map(anchors.map((anchor) => [anchor.number, anchor]))
    for (const anchor of kept) {
      this.#checkSignature(anchor, ' in the file')
      const same = stored.get(anchor.number)
      if (!same)
        this.#report(
          `anchor ${anchor.number} is in the file and not in the database: the end of the trail was cut`,
        )
      else if (same.signature !== anchor.signature)
        this.#report(`anchor ${anchor.number} is not the one in the file: the trail was written anew`)
    }
  }

  async #checkEvents(ranges: AnchoredRanges): Promise<void> {
    for await (const events of this.#trail.events()) {
      for (const event of events) {
        if (event.position === undefined) this.#checkOld(event.id)
        else {
          this.#checkLink(event)
          for (const problem of ranges.pass(event)) this.#report(problem)
        }
      }
    }
    for (const problem of ranges.end()) this.#report(problem)
  }

  #checkOld(id: number): void {
    this.#eventsFromBefore++
    if (this.#events > 0) this.#report(`event ${id} was added without a place in a chain`)
  }

  #checkLink({ id, subjectUserId, position, previousId, previousHash, previous }: Linked): void {
    this.#events++
    if (previousId === undefined || previousId <= this.#trail.purgedTo) {
      this.#begun++
      this.#expected -= BigInt(position) - 1n
      const isFirst = previousId === undefined
      if (isFirst !== (position === 1) || isFirst !== (previousHash === ''))
        this.#report(`event ${id} does not begin the chain of its subject`)
      return
    }
    if (!previous) this.#report(`the event before event ${id}, number ${previousId}, is gone`)
    else if (
      previous.hash !== previousHash ||
      previous.subjectUserId !== subjectUserId ||
      previous.position !== position - 1 ||
      previous.id >= id
    ) {
      this.#report(`event ${previous.id} was changed, or event ${id}, which follows it`)
    }
  }

  #checkHead({ subjectUserId, position, hash, eventId, event }: TrailHead): void {
    this.#subjects++
    if (eventId === undefined) {
      if (position !== 0) this.#report(`the chain of ${subjectUserId} has no end`)
      return
    }
    if (eventId <= this.#trail.purgedTo) return
    this.#ended++
    this.#expected += BigInt(position)
    if (!event) this.#report(`the newest event of ${subjectUserId}, number ${eventId}, is gone`)
    else if (event.hash !== hash || event.position !== position || event.subjectUserId !== subjectUserId)
      this.#report(`event ${eventId}, the newest of ${subjectUserId}, was changed`)
  }

  /** Finds what no link shows: events that nothing leads to. */
  #count(): void {
    if (this.#problemCount > 0) return
    if (this.#begun !== this.#ended || this.#expected !== BigInt(this.#events)) {
      this.#report(`${this.#events} events are in ${this.#ended} chains, which should have ${this.#expected}`)
    }
  }

  #report(problem: string): void {
    this.#problemCount++
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
  }
}

type Linked = Exclude<TrailEvent, { readonly position: undefined }>

/** Compares the events with the anchors that cover them, in one walk. */
class AnchoredRanges {
  readonly #trail: TrailSnapshot
  readonly #anchors: readonly SignedAnchor[]
  #next = 0
  #events = 0
  #digest

  constructor(anchors: readonly SignedAnchor[], trail: TrailSnapshot) {
    this.#trail = trail
    // Nobody knows the digest of an anchor that is purged in part.
    this.#anchors = anchors.filter(({ firstId }) => firstId > trail.purgedTo)
    this.#digest = trail.digest()
  }

  /** The problems of the anchors that end before this event. */
  *pass({ id, hash }: Linked): Generator<string> {
    for (
      let anchor = this.#anchors[this.#next];
      anchor && anchor.lastId < id;
      anchor = this.#anchors[this.#next]
    )
      yield* this.#compare(anchor)
    const anchor = this.#anchors[this.#next]
    if (anchor && id >= anchor.firstId) {
      this.#events++
      this.#digest.add(hash)
    }
  }

  *end(): Generator<string> {
    for (let anchor = this.#anchors[this.#next]; anchor; anchor = this.#anchors[this.#next])
      yield* this.#compare(anchor)
  }

  *#compare({ number, firstId, lastId, events, digest }: SignedAnchor): Generator<string> {
    if (this.#digest.value() !== digest || this.#events !== events) {
      yield `the events from ${firstId} to ${lastId} are not the ones of anchor ${number}: it has ${events}, the trail ${this.#events}`
    }
    this.#next++
    this.#events = 0
    this.#digest = this.#trail.digest()
  }
}
