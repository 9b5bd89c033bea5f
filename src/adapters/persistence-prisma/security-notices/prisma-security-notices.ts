import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { SecurityNoticeDelivery, SecurityNotices } from '../../../application/ports/security-notices.ts'
import type { DomainEvent, SecurityNoticeKind } from '../../../domain/domain-event.ts'
import type { EmailAddress } from '../../../domain/email-address.ts'
import type { QueuedSecurityNotice, SecurityNotice } from '../../../domain/security-notice.ts'
import type { Statements } from '../connection/statements.ts'
import { BY_SERVICE } from '../lock-notices/lock-notice-statements.ts'
import type { Joined } from '../row-mapping.ts'
import { ShardedClaims } from '../sharding/sharded-claims.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import {
  claimDueSecurityNotices,
  claimSecurityNotice,
  recordSecurityNotice,
} from './security-notice-statements.ts'

/** A queued notice. The service reads no others. */
interface SecurityNoticeRow {
  readonly n_id: string
  readonly n_kind: string
  readonly n_client_id: string | null
  readonly n_subject_user_id: string
  readonly n_recipient: string
  readonly n_happened_at: Date
  readonly n_locale: string | null
  readonly n_delivery_attempts: number
  readonly n_next_attempt_at: Date
}

type ClaimedRow = SecurityNoticeRow & Joined<UserRow> & { readonly is_surplus: boolean }

/** Leases and records the queued rows of `security_notices`, like the outbox does with codes. */
export class PrismaSecurityNotices implements SecurityNotices {
  readonly #statements: Statements
  readonly #committed: CommitListener
  readonly #claims: ShardedClaims<ClaimedRow> | undefined

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
    if (statements.sharding === 'citus') {
      this.#claims = new ShardedClaims(statements, {
        table: 'security_notices',
        claimOne: (claiming) => statements.query(claimSecurityNotice(claiming)),
      })
    }
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly SecurityNoticeDelivery[]> {
    const rows = await (this.#claims
      ? this.#claims.claim(limit, now, leaseEnd)
      : this.#statements.query<ClaimedRow>(claimDueSecurityNotices(limit, now, leaseEnd)))
    return rows.map((row) => ({
      notice: queuedOf(row),
      user: hasUser(row) ? userOf(row) : undefined,
      isSurplus: row.is_surplus,
    }))
  }

  async record(
    claimed: QueuedSecurityNotice,
    outcome: SecurityNotice,
    events: readonly DomainEvent[],
  ): Promise<boolean> {
    const recorded = await this.#statements.query(recordSecurityNotice(claimed, outcome, events))
    if (recorded.length === 0) return false
    announce(this.#committed, { events, provenance: BY_SERVICE })
    return true
  }
}

function queuedOf(row: SecurityNoticeRow): QueuedSecurityNotice {
  return {
    status: 'queued',
    id: row.n_id,
    kind: row.n_kind as SecurityNoticeKind,
    clientId: row.n_client_id ?? undefined,
    subjectUserId: row.n_subject_user_id,
    recipient: row.n_recipient as EmailAddress,
    happenedAt: row.n_happened_at,
    ...(row.n_locale !== null && { locale: row.n_locale }),
    deliveryAttempts: row.n_delivery_attempts,
    nextAttemptAt: row.n_next_attempt_at,
  }
}
