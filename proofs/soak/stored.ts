import type pg from 'pg'

/* The contents of the database at the end, without the history from before the run. */

export interface StoredChallenge {
  readonly id: string
  readonly clientId: string
  readonly subject: string
  readonly digest: string
  readonly status: 'pending' | 'verified' | 'consumed' | 'exhausted' | 'cancelled'
  readonly attemptsRemaining: number
  readonly issuanceCount: number
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly verifiedAt: Date | null
  readonly consumedAt: Date | null
  readonly exhaustedAt: Date | null
  readonly cancelledAt: Date | null
  readonly key: string
  readonly consumptionKey: string | null
}

export interface StoredIssuance {
  readonly id: string
  readonly challengeId: string
  readonly number: number
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly status: 'queued' | 'sent' | 'failed' | 'delivered' | 'bounced'
  readonly sentAt: Date | null
  readonly failedAt: Date | null
  readonly failureReason: string | null
  readonly deliveredAt: Date | null
  readonly bouncedAt: Date | null
  readonly bounceKind: string | null
}

export interface StoredNotice {
  readonly id: string
  readonly challengeId: string
  readonly status: 'queued' | 'sent' | 'failed'
  readonly lockedAt: Date
  readonly lockedUntil: Date
  readonly failedAt: Date | null
  readonly failureReason: string | null
}

export interface StoredSecurityNotice {
  readonly id: string
  readonly status: 'queued' | 'sent' | 'failed'
  readonly happenedAt: Date
  readonly finishedAt: Date | null
}

interface StoredStanding {
  readonly subject: string
  readonly consecutiveFailures: number
  readonly consecutiveLocks: number
  readonly lockedUntil: Date | null
  readonly recentIssuances: readonly Date[]
}

export interface StoredEvent {
  readonly challengeId: string | null
  readonly subject: string
  readonly type: string
  readonly at: Date
  readonly requestId: string | null
  readonly details: Readonly<Record<string, unknown>>
}

export interface Stored {
  readonly challenges: ReadonlyMap<string, StoredChallenge>
  readonly issuances: ReadonlyMap<string, StoredIssuance>
  readonly notices: readonly StoredNotice[]
  /** Without those of users who were erased. */
  readonly securityNotices: readonly StoredSecurityNotice[]
  readonly standings: ReadonlyMap<string, StoredStanding>
  /** In the order in which they were stored. For one subject, that is the order of the decisions. */
  readonly events: readonly StoredEvent[]
}

export async function readStored(db: pg.Pool): Promise<Stored> {
  const rows = async <Row extends pg.QueryResultRow>(sql: string) => (await db.query<Row>(sql)).rows
  const byId = <Row extends { readonly id: string }>(all: readonly Row[]) =>
    new Map(all.map((row) => [row.id, row]))
  const standings = await rows<StoredStanding>(`
    SELECT subject_user_id AS subject, consecutive_failures AS "consecutiveFailures", consecutive_locks AS "consecutiveLocks",
      locked_until AS "lockedUntil", recent_issuances AS "recentIssuances"
    FROM subject_standings WHERE subject_user_id LIKE 'u-%'`)
  return {
    challenges: byId(
      await rows<StoredChallenge>(`
        SELECT id, client_id AS "clientId", subject_user_id AS subject, operation_digest AS digest, status,
          attempts_remaining AS "attemptsRemaining", issuance_count AS "issuanceCount", created_at AS "createdAt",
          expires_at AS "expiresAt", verified_at AS "verifiedAt", consumed_at AS "consumedAt", exhausted_at AS "exhaustedAt",
          cancelled_at AS "cancelledAt", idempotency_key AS key, consumption_key AS "consumptionKey"
        FROM challenges WHERE client_id <> 'history'`),
    ),
    issuances: byId(
      await rows<StoredIssuance>(`
        SELECT id, challenge_id AS "challengeId", number, issued_at AS "issuedAt", expires_at AS "expiresAt", status,
          sent_at AS "sentAt", failed_at AS "failedAt", failure_reason AS "failureReason", delivered_at AS "deliveredAt",
          bounced_at AS "bouncedAt", bounce_kind AS "bounceKind"
        FROM otp_issuances WHERE subject_user_id LIKE 'u-%' ORDER BY challenge_id, number`),
    ),
    notices: await rows<StoredNotice>(`
      SELECT id, challenge_id AS "challengeId", status, locked_at AS "lockedAt", locked_until AS "lockedUntil",
        failed_at AS "failedAt", failure_reason AS "failureReason"
      FROM lock_notices`),
    securityNotices: await rows<StoredSecurityNotice>(`
      SELECT id, status, happened_at AS "happenedAt", finished_at AS "finishedAt" FROM security_notices`),
    standings: new Map(standings.map((standing) => [standing.subject, standing])),
    events: await rows<StoredEvent>(`
      SELECT challenge_id AS "challengeId", subject_user_id AS subject, type, occurred_at AS at, request_id AS "requestId", details
      FROM challenge_events WHERE subject_user_id LIKE 'u-%' ORDER BY id`),
  }
}
