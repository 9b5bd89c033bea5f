import type { EmailAddress } from '../../../domain/email-address.ts'
import type { QueuedLockNotice } from '../../../domain/lock-notice.ts'
import { columns } from '../row-mapping.ts'

/** The columns that raw statements read, with the letter of the table as prefix. */
export const LOCK_NOTICE_COLUMNS = columns(
  'n',
  'id challenge_id subject_user_id recipient locked_at locked_until delivery_attempts next_attempt_at',
)

/** A queued notice. The service reads no others. */
export interface LockNoticeRow {
  readonly n_id: string
  readonly n_challenge_id: string
  readonly n_subject_user_id: string
  readonly n_recipient: string
  readonly n_locked_at: Date
  readonly n_locked_until: Date
  readonly n_delivery_attempts: number
  readonly n_next_attempt_at: Date
}

export function queuedLockNoticeOf(row: LockNoticeRow): QueuedLockNotice {
  return {
    status: 'queued',
    id: row.n_id,
    challengeId: row.n_challenge_id,
    subjectUserId: row.n_subject_user_id,
    recipient: row.n_recipient as EmailAddress,
    lockedAt: row.n_locked_at,
    lockedUntil: row.n_locked_until,
    deliveryAttempts: row.n_delivery_attempts,
    nextAttemptAt: row.n_next_attempt_at,
  }
}
