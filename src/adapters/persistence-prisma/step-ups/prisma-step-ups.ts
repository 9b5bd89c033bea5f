import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type {
  LoadedStepUp,
  StepUps,
  StoredDemand,
  StrangerEvent,
} from '../../../application/ports/step-ups.ts'
import {
  type Idempotency,
  IdempotencyKeyReused,
  LiveChallengesSpent,
  type PendingChallenge,
} from '../../../domain/challenge.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import { secondsUntil } from '../../../domain/instant.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import { IssuancesSpent } from '../../../domain/subject-standing.ts'
import type { Statements } from '../connection/statements.ts'
import { hasIssuance, type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import { type PlacedId, rowOf } from '../placed-id.ts'
import type { Joined } from '../row-mapping.ts'
import type { Seals } from '../seals/row-seals.ts'
import { type Groups, groupsOf } from '../sharding/groups.ts'
import { IdempotencyKeys } from '../sharding/idempotency-keys.ts'
import { MailboxCounts } from '../sharding/mailbox-counts.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import { type ChallengeRow, challengeOf } from './challenge-row.ts'
import {
  FINDING,
  type Finding,
  LOADING,
  OPENING,
  type Opening,
  SAVING,
  type Saving,
} from './grouped-step-up-statements.ts'
import { type StandingRow, standingOf } from './standing-row.ts'
import {
  findBucket,
  findFirstExpiry,
  findMailboxSpentUntil,
  insertStrangerEvent,
  noteStranger,
  recordStranger,
} from './step-up-statements.ts'

type FoundRow = ChallengeRow & { readonly c_request_fingerprint: string }
type StepUpRow = ChallengeRow &
  StandingRow &
  Joined<IssuanceRow> &
  Joined<UserRow> & { readonly set_back: boolean }

/**
 * Stores step-ups with one statement per call, which calls that wait at the same moment share. Seals what it stores, and
 * checks the seals of what it loads.
 *
 * If the tables are spread over several servers, a key of a client and the count of a mailbox may be on another one than the subject. Each
 * is then a statement of its own, before the one that stores.
 */
export class PrismaStepUps implements StepUps {
  readonly #statements: Statements
  readonly #seals: Seals
  readonly #committed: CommitListener
  readonly #loads: Groups<PlacedId, StepUpRow>
  readonly #saves: Groups<Saving, object>
  readonly #opens: Groups<Opening, object>
  readonly #finds: Groups<Finding, FoundRow>
  readonly #keys: IdempotencyKeys | undefined
  readonly #mailboxes: MailboxCounts | undefined

  constructor(statements: Statements, seals: Seals, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#seals = seals
    this.#committed = committed
    this.#loads = groupsOf(statements, LOADING)
    this.#saves = groupsOf(statements, SAVING)
    this.#opens = groupsOf(statements, OPENING)
    this.#finds = groupsOf(statements, FINDING)
    if (statements.nodes) {
      this.#keys = new IdempotencyKeys(statements, statements.nodes)
      this.#mailboxes = new MailboxCounts(statements, statements.nodes)
    }
  }

  async open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
    mostLive?: number,
  ): Promise<StoredDemand> {
    const reserved = await this.#keys?.reserve(challenge, idempotency)
    if (!reserved) return this.#open(challenge, event, idempotency, provenance, mostLive)
    if (reserved.fingerprint !== idempotency.fingerprint) throw new IdempotencyKeyReused()
    const id = reserved.challengeId
    return this.#open({ ...challenge, id }, { ...event, challengeId: id }, idempotency, provenance, mostLive)
  }

  async #open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
    mostLive: number | undefined,
  ): Promise<StoredDemand> {
    const demandSeal = this.#seals.ofDemand(challenge)
    const opening = { challenge, event, idempotency, provenance, mostLive, demandSeal }
    const inserted = await this.#opens.query(opening)
    if (inserted.length === 1) {
      announce(this.#committed, { events: [event], provenance, challenge })
      return { challenge, created: true }
    }

    // PostgreSQL reports a conflict only after the other insert has committed, so without a row there was no conflict.
    const [existing] = await this.#finds.query({ ...challenge, key: idempotency.key })
    if (!existing && mostLive !== undefined) throw await this.#liveChallengesSpent(challenge)
    if (existing?.c_request_fingerprint !== idempotency.fingerprint) throw new IdempotencyKeyReused()
    const found = challengeOf(existing)
    const forgery = this.#seals.forgeryInDemand(existing, found)
    return { challenge: found, created: false, ...(forgery && { forgery }) }
  }

  /** If the last of them has just ended, the client may call again at once. */
  async #liveChallengesSpent(challenge: PendingChallenge): Promise<LiveChallengesSpent> {
    const [first] = await this.#statements.query<{ readonly at: Date | null }>(findFirstExpiry(challenge))
    return new LiveChallengesSpent(first?.at ? secondsUntil(first.at, challenge.createdAt) : 1)
  }

  async load(challengeId: string): Promise<LoadedStepUp | undefined> {
    const load = (placed: PlacedId) => this.#loads.query(placed)
    const row = await rowOf(this.#statements, challengeId, load, findBucket)
    if (!row) return undefined
    const challenge = challengeOf(row)
    const issuance = hasIssuance(row) ? issuanceOf(row) : undefined
    return {
      challenge,
      standing: standingOf(row),
      issuance,
      user: hasUser(row) ? userOf(row) : undefined,
      forgery: this.#seals.forgeryIn(row, challenge, issuance) ?? (row.set_back ? 'set-back' : undefined),
    }
  }

  async save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    const { challenge, issued, mailbox, verifiedBy, events } = decision
    if (this.#mailboxes && issued && mailbox) {
      const count = await this.#mailboxes.count(mailbox, issued.issuedAt)
      if (!count.counted) return refused(count.until, issued.issuedAt)
    }
    const saved = await this.#saves.query({ decision, provenance, seals: this.#seals.ofDecision(decision) })
    if (saved.length === 0) {
      if (issued && mailbox && !this.#mailboxes) await this.#assertRoom(mailbox, issued.issuedAt)
      return false
    }
    announce(this.#committed, { events, provenance, challenge, issuance: issued ?? verifiedBy })
    return true
  }

  async recordStranger(event: StrangerEvent, provenance: Provenance): Promise<void> {
    const recorded = await (this.#keys
      ? this.#recordElsewhere(event, provenance)
      : this.#statements.query(recordStranger(event, provenance)))
    if (recorded.length > 0) announce(this.#committed, { events: [event], provenance })
  }

  async #recordElsewhere(event: StrangerEvent, provenance: Provenance): Promise<readonly object[]> {
    const noted = await this.#statements.query(noteStranger(event))
    if (noted.length > 0) await this.#statements.query(insertStrangerEvent(event, provenance))
    return noted
  }

  /** Asked only about a code that was not stored: a lost race has the same sign. @throws {IssuancesSpent} */
  async #assertRoom(mailbox: NonNullable<StepUpDecision['mailbox']>, now: Date): Promise<void> {
    const [found] = await this.#statements.query<{ readonly until: Date | null }>(
      findMailboxSpentUntil(mailbox, now),
    )
    refused(found?.until, now)
  }
}

/** Without a time, the mailbox has room again: the decision has only lost its race. @throws {IssuancesSpent} */
function refused(until: Date | null | undefined, now: Date): false {
  if (until) throw new IssuancesSpent(secondsUntil(until, now))
  return false
}
