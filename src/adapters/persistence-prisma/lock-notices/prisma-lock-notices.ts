import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { LockNoticeDelivery, LockNotices } from '../../../application/ports/lock-notices.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../../domain/lock-notice.ts'
import type { Statements } from '../connection/statements.ts'
import type { Joined } from '../row-mapping.ts'
import { ShardedClaims } from '../sharding/sharded-claims.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import { type LockNoticeRow, queuedLockNoticeOf } from './lock-notice-row.ts'
import { BY_SERVICE, claimDueNotices, claimNotice, recordNotice } from './lock-notice-statements.ts'

type ClaimedRow = LockNoticeRow & Joined<UserRow> & { readonly c_client_id: string | null }

/** Leases and records the queued rows of `lock_notices`, like the outbox does with codes. */
export class PrismaLockNotices implements LockNotices {
  readonly #statements: Statements
  readonly #committed: CommitListener
  readonly #claims: ShardedClaims<ClaimedRow> | undefined

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
    if (statements.sharding === 'citus') {
      this.#claims = new ShardedClaims(statements, {
        table: 'lock_notices',
        claimOne: (claiming) => statements.query(claimNotice(claiming)),
      })
    }
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]> {
    const rows = await (this.#claims
      ? this.#claims.claim(limit, now, leaseEnd)
      : this.#statements.query<ClaimedRow>(claimDueNotices(limit, now, leaseEnd)))
    return rows.map((row) => ({
      notice: queuedLockNoticeOf(row),
      clientId: row.c_client_id ?? undefined,
      user: hasUser(row) ? userOf(row) : undefined,
    }))
  }

  async record(
    claimed: QueuedLockNotice,
    outcome: LockNotice,
    events: readonly ChallengeEvent[],
  ): Promise<boolean> {
    const recorded = await this.#statements.query(recordNotice(claimed, outcome, events))
    if (recorded.length === 0) return false
    announce(this.#committed, { events, provenance: BY_SERVICE })
    return true
  }
}
