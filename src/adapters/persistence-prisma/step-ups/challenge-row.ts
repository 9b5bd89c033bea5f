import type { Challenge } from '../../../domain/challenge.ts'
import type { SummaryLine } from '../../../domain/operation.ts'
import { Prisma } from '../generated/client.ts'
import { columns, ImpossibleRow, present } from '../row-mapping.ts'

/** The columns that raw statements read, with the letter of the table as prefix. */
export const CHALLENGE_COLUMNS = columns(
  'c',
  'id client_id subject_user_id operation_type operation_digest operation_summary status attempts_remaining issuance_count created_at expires_at verified_at consumed_at consumption_key consumption_fingerprint exhausted_at cancelled_at mismatched_by demand_seal approval_seal consumption_seal',
)

/**
 * The audit trail says that the challenge has ended. Not `EXISTS`: if the planner expects many challenges, it may answer that by reading
 * the whole trail once. It cannot do so with this.
 *
 * @param bucket that of the challenge `c`.
 */
export function endedOnTrail(bucket: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`coalesce((
        SELECT true
        FROM challenge_events e
        WHERE e.challenge_id = c.id AND e.bucket = ${bucket}
          AND e.type IN ('challenge-consumed', 'challenge-cancelled', 'challenge-exhausted')
        LIMIT 1
      ), false)`
}

export interface ChallengeRow {
  readonly c_id: string
  readonly c_client_id: string
  readonly c_subject_user_id: string
  readonly c_operation_type: string
  readonly c_operation_digest: string
  readonly c_operation_summary: readonly SummaryLine[]
  readonly c_status: string
  readonly c_attempts_remaining: number
  readonly c_issuance_count: number
  readonly c_created_at: Date
  readonly c_expires_at: Date
  readonly c_verified_at: Date | null
  readonly c_consumed_at: Date | null
  readonly c_consumption_key: string | null
  readonly c_consumption_fingerprint: string | null
  readonly c_exhausted_at: Date | null
  readonly c_cancelled_at: Date | null
  readonly c_mismatched_by: readonly string[] | null
  readonly c_demand_seal: string | null
  readonly c_approval_seal: string | null
  readonly c_consumption_seal: string | null
}

export function challengeOf(row: ChallengeRow): Challenge {
  const opened = {
    id: row.c_id,
    clientId: row.c_client_id,
    subjectUserId: row.c_subject_user_id,
    operation: {
      type: row.c_operation_type,
      digest: row.c_operation_digest,
      summary: row.c_operation_summary,
    },
    createdAt: row.c_created_at,
    expiresAt: row.c_expires_at,
    attemptsRemaining: row.c_attempts_remaining,
    issuanceCount: row.c_issuance_count,
    ...(row.c_mismatched_by && { mismatchedBy: row.c_mismatched_by }),
  }
  switch (row.c_status) {
    case 'pending':
      return { ...opened, status: 'pending' }
    case 'verified':
      return { ...opened, status: 'verified', verifiedAt: present(row.c_verified_at) }
    case 'consumed':
      return {
        ...opened,
        status: 'consumed',
        verifiedAt: present(row.c_verified_at),
        consumedAt: present(row.c_consumed_at),
        consumedBy: {
          key: present(row.c_consumption_key),
          fingerprint: present(row.c_consumption_fingerprint),
        },
      }
    case 'exhausted':
      return { ...opened, status: 'exhausted', exhaustedAt: present(row.c_exhausted_at) }
    case 'cancelled':
      return { ...opened, status: 'cancelled', cancelledAt: present(row.c_cancelled_at) }
    default:
      throw new ImpossibleRow(`challenge ${row.c_id} is ${row.c_status}`)
  }
}
