import type { SuppressionReason } from '../../../domain/domain-event.ts'
import type { EmailAddress } from '../../../domain/email-address.ts'
import type { SubjectStanding } from '../../../domain/subject-standing.ts'
import { columns, present } from '../row-mapping.ts'

/** The columns that raw statements read, with the letter of the table as prefix. */
export const STANDING_COLUMNS = columns(
  's',
  'subject_user_id consecutive_failures consecutive_locks locked_until recent_issuances suppressed_address suppression_reason suppression_changed_at version',
)

export interface StandingRow {
  readonly s_subject_user_id: string
  readonly s_consecutive_failures: number
  readonly s_consecutive_locks: number
  readonly s_locked_until: Date | null
  readonly s_recent_issuances: readonly Date[]
  readonly s_suppressed_address: string | null
  readonly s_suppression_reason: string | null
  readonly s_suppression_changed_at: Date | null
  readonly s_version: number
}

export function standingOf(row: StandingRow): SubjectStanding {
  return {
    subjectUserId: row.s_subject_user_id,
    consecutiveFailures: row.s_consecutive_failures,
    consecutiveLocks: row.s_consecutive_locks,
    lockedUntil: row.s_locked_until ?? undefined,
    recentIssuances: row.s_recent_issuances,
    suppression: suppressionOf(row),
    version: row.s_version,
  }
}

function suppressionOf(row: StandingRow): SubjectStanding['suppression'] {
  const at = row.s_suppression_changed_at
  if (at === null) return undefined
  if (row.s_suppressed_address === null) return { address: undefined, at }
  return {
    address: row.s_suppressed_address as EmailAddress,
    reason: present(row.s_suppression_reason) as SuppressionReason,
    at,
  }
}
