import type { BounceKind, DeliveryFailure } from '../../../domain/domain-event.ts'
import type { EmailAddress } from '../../../domain/email-address.ts'
import type { OtpIssuance } from '../../../domain/otp-issuance.ts'
import { columns, ImpossibleRow, type Joined, present } from '../row-mapping.ts'

/** The columns that raw statements read, with the letter of the table as prefix. */
export const ISSUANCE_COLUMNS = columns(
  'i',
  'id challenge_id subject_user_id number key_id recipient issued_at expires_at status delivery_attempts next_attempt_at sent_at message_id failed_at failure_reason delayed_at delivered_at bounced_at bounce_kind seal',
)

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
  readonly i_delayed_at: Date | null
  readonly i_delivered_at: Date | null
  readonly i_bounced_at: Date | null
  readonly i_bounce_kind: string | null
  readonly i_seal: string | null
}

export function hasIssuance(row: Joined<IssuanceRow>): row is IssuanceRow {
  return row.i_id !== null
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
    ...(row.i_delayed_at && { delayedAt: row.i_delayed_at }),
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

/** The columns that depend on the state of the mail. */
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
