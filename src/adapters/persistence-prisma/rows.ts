import type { Challenge } from '../../domain/challenge.ts'
import type { BounceKind, DeliveryFailure, SuppressionReason } from '../../domain/domain-event.ts'
import type { EmailAddress } from '../../domain/email-address.ts'
import type { QueuedLockNotice } from '../../domain/lock-notice.ts'
import type { SummaryLine } from '../../domain/operation.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import type { SubjectStanding } from '../../domain/subject-standing.ts'
import type { User } from '../../domain/user.ts'

/**
 * The columns that the raw statements read, each under its table's letter, so that one row can hold a challenge,
 * its newest issuance, the standing of its subject and the subject's entry in the directory, or a notice and its subject's.
 */
export const COLUMNS = {
  challenge: columns(
    'c',
    'id client_id subject_user_id operation_type operation_digest operation_summary status attempts_remaining issuance_count created_at expires_at verified_at consumed_at consumption_key consumption_fingerprint exhausted_at cancelled_at',
  ),
  issuance: columns(
    'i',
    'id challenge_id subject_user_id number key_id recipient issued_at expires_at status delivery_attempts next_attempt_at sent_at message_id failed_at failure_reason delivered_at bounced_at bounce_kind',
  ),
  standing: columns(
    's',
    'subject_user_id consecutive_failures consecutive_locks locked_until recent_issuances suppressed_address suppression_reason suppression_changed_at version',
  ),
  user: columns('u', 'user_id email locale display_name'),
  lockNotice: columns(
    'n',
    'id challenge_id subject_user_id recipient locked_at locked_until delivery_attempts next_attempt_at',
  ),
}

function columns(table: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${table}.${name} AS ${table}_${name}`)
    .join(', ')
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
}

export interface IssuanceRow {
  readonly i_id: string
  readonly i_challenge_id: string
  readonly i_subject_user_id: string
  readonly i_number: number
  readonly i_key_id: string
  readonly i_recipient: string
  readonly i_issued_at: Date
  readonly i_expires_at: Date
  readonly i_status: string
  readonly i_delivery_attempts: number
  readonly i_next_attempt_at: Date | null
  readonly i_sent_at: Date | null
  readonly i_message_id: string | null
  readonly i_failed_at: Date | null
  readonly i_failure_reason: string | null
  readonly i_delivered_at: Date | null
  readonly i_bounced_at: Date | null
  readonly i_bounce_kind: string | null
}

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

export interface UserRow {
  readonly u_user_id: string
  readonly u_email: string
  readonly u_locale: string | null
  readonly u_display_name: string | null
}

/** Of a queued notice: no other is ever read. */
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

/** What an outer join gives: the row, or nulls when there is nothing to join. */
export type Joined<Row> = Row | { readonly [Column in keyof Row]: null }

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

export function issuanceOf(row: IssuanceRow): OtpIssuance {
  const issued = {
    id: row.i_id,
    challengeId: row.i_challenge_id,
    subjectUserId: row.i_subject_user_id,
    number: row.i_number,
    keyId: row.i_key_id,
    recipient: row.i_recipient as EmailAddress,
    issuedAt: row.i_issued_at,
    expiresAt: row.i_expires_at,
    deliveryAttempts: row.i_delivery_attempts,
  }
  switch (row.i_status) {
    case 'queued':
      return { ...issued, status: 'queued', nextAttemptAt: present(row.i_next_attempt_at) }
    case 'sent':
      return {
        ...issued,
        status: 'sent',
        sentAt: present(row.i_sent_at),
        messageId: row.i_message_id ?? undefined,
      }
    case 'failed':
      return {
        ...issued,
        status: 'failed',
        failedAt: present(row.i_failed_at),
        reason: present(row.i_failure_reason) as DeliveryFailure,
      }
    case 'delivered':
      return {
        ...issued,
        status: 'delivered',
        sentAt: row.i_sent_at ?? undefined,
        messageId: row.i_message_id ?? undefined,
        deliveredAt: present(row.i_delivered_at),
      }
    case 'bounced':
      return {
        ...issued,
        status: 'bounced',
        sentAt: row.i_sent_at ?? undefined,
        messageId: row.i_message_id ?? undefined,
        deliveredAt: row.i_delivered_at ?? undefined,
        bouncedAt: present(row.i_bounced_at),
        kind: present(row.i_bounce_kind) as BounceKind,
      }
    default:
      throw new ImpossibleRow(`issuance ${row.i_id} is ${row.i_status}`)
  }
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

/** How an issuance stands with its mail, as columns. */
export function deliveryOf(issuance: OtpIssuance) {
  const none = {
    nextAttemptAt: null,
    sentAt: null,
    messageId: null,
    failedAt: null,
    failureReason: null,
    deliveredAt: null,
    bouncedAt: null,
    bounceKind: null,
  }
  switch (issuance.status) {
    case 'queued':
      return { ...none, nextAttemptAt: issuance.nextAttemptAt }
    case 'failed':
      return { ...none, failedAt: issuance.failedAt, failureReason: issuance.reason }
    case 'sent':
      return { ...none, sentAt: issuance.sentAt, messageId: issuance.messageId ?? null }
    case 'delivered':
      return {
        ...none,
        sentAt: issuance.sentAt ?? null,
        messageId: issuance.messageId ?? null,
        deliveredAt: issuance.deliveredAt,
      }
    case 'bounced':
      return {
        ...none,
        sentAt: issuance.sentAt ?? null,
        messageId: issuance.messageId ?? null,
        deliveredAt: issuance.deliveredAt ?? null,
        bouncedAt: issuance.bouncedAt,
        bounceKind: issuance.kind,
      }
  }
}

export function userOf(row: UserRow): User {
  return {
    userId: row.u_user_id,
    email: row.u_email as EmailAddress,
    locale: row.u_locale ?? undefined,
    displayName: row.u_display_name ?? undefined,
  }
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

export function hasIssuance(row: Joined<IssuanceRow>): row is IssuanceRow {
  return row.i_id !== null
}

export function hasUser(row: Joined<UserRow>): row is UserRow {
  return row.u_user_id !== null
}

function present<Value>(value: Value | null): Value {
  if (value === null) throw new ImpossibleRow('a column that its status demands is null')
  return value
}

/** The CHECKs of the tables forbid it, so somebody changed a table by hand, or this code and the schema have parted. */
class ImpossibleRow extends Error {}
