import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { OtpDelivery, OtpOutbox } from '../../../application/ports/otp-outbox.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../../domain/otp-issuance.ts'
import { Slots } from '../connection/slots.ts'
import type { Statements } from '../connection/statements.ts'
import type { Joined } from '../row-mapping.ts'
import type { Seals } from '../seals/row-seals.ts'
import { type Groups, GroupsByNode, groupsOf } from '../sharding/groups.ts'
import type { NewIssuances } from '../sharding/new-issuances.ts'
import { type Claiming, ShardedClaims } from '../sharding/sharded-claims.ts'
import { type ChallengeRow, challengeOf } from '../step-ups/challenge-row.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import { type IssuanceRow, issuanceOf } from './issuance-row.ts'
import { type Attempt, CLAIMING, claimDue, RECORDING } from './otp-outbox-statements.ts'

type ClaimedRow = IssuanceRow &
  ChallengeRow &
  Joined<UserRow> & { readonly i_trace_context: string | null; readonly set_back: boolean }

const BY_SERVICE = { actor: 'service' }

/** A delivery waits for nobody, so the outcomes may gather while one statement is under way. */
const MOST_MEMBERS = 64
const GROUPS_UNDER_WAY = 1

/**
 * Leases and records the queued rows of `otp_issuances`. A lease is a later `next_attempt_at`, so it needs no clean-up if
 * its holder dies.
 */
export class PrismaOtpOutbox implements OtpOutbox {
  readonly #statements: Statements
  readonly #seals: Seals
  readonly #committed: CommitListener
  readonly #claims: ShardedClaims<ClaimedRow> | undefined
  readonly #records: Groups<Attempt, object>

  /** @param fresh the codes of this process, if the tables are spread over several servers. */
  constructor(
    statements: Statements,
    seals: Seals,
    committed: CommitListener = () => {},
    fresh?: NewIssuances,
  ) {
    this.#statements = statements
    this.#seals = seals
    this.#committed = committed
    if (statements.nodes) {
      const claims = new GroupsByNode<Claiming, ClaimedRow>(statements, statements.nodes, CLAIMING)
      const claimOne = (claiming: Claiming) => claims.query(claiming)
      this.#claims = new ShardedClaims(statements, { table: 'otp_issuances', claimOne, fresh })
    }
    this.#records = groupsOf(statements, RECORDING, {
      mostMembers: MOST_MEMBERS,
      slots: new Slots(GROUPS_UNDER_WAY),
    })
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    const rows = await (this.#claims
      ? this.#claims.claim(limit, now, leaseEnd)
      : this.#statements.query<ClaimedRow>(claimDue(limit, now, leaseEnd)))
    return rows.map((row) => {
      const issuance = issuanceOf(row) as QueuedIssuance
      const challenge = challengeOf(row)
      return {
        issuance,
        challenge,
        user: hasUser(row) ? userOf(row) : undefined,
        traceContext: row.i_trace_context ?? undefined,
        forgery: () =>
          this.#seals.forgeryIn(row, challenge, issuance) ?? (row.set_back ? 'set-back' : undefined),
      }
    })
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean> {
    const recorded = await this.#records.query({ claimed, outcome, event })
    if (recorded.length === 0) return false
    announce(this.#committed, { events: [event], provenance: BY_SERVICE, issuance: claimed })
    return true
  }
}
