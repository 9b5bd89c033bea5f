import type { Arrival } from './mailroom.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Stored, StoredIssuance, StoredNotice, StoredSecurityNotice } from './stored.ts'
import type { Part, TroubleLog } from './trouble-log.ts'

/** The time between the acceptance of a mail and its record. A trouble in that time may cause a second mail. */
const RECORDED_WITHIN_IN_MS = 3000
/** These troubles cause no second mail: a process that stops finishes its mails, slow answers arrive in time, and a refusal accepts nothing. */
const NO_REASON_TO_REPEAT = /SIGTERM|is slow|out of order/
/** A trouble that ended longer than this before a mail was accepted did not affect it. */
const GRACE_IN_MS = 1500
/** The troubles that may prevent the sending of a mail, or its record. A SIGTERM must not. */
const HINDRANCES: readonly Part[] = ['instance 0', 'instance 1', 'postmark', 'smtp', 'database']
/** How long a mail system that has failed rests, even if it works again (decision 11). */
const REST_IN_MS = 15_000
/** A mail that is claimed before its code expires may leave shortly after: two mail systems, ten seconds each. */
const LATE_IN_MS = 21_000

/**
 * Each promised mail was sent, unless its code no longer counted or could not be sent in time. Each sent mail is on record. A second
 * mail has a reason, and the same code as the first.
 */
export function mailsAgainstOutbox({ arrivals, log }: Evidence, stored: Stored): CheckResults {
  const violations: string[] = []
  const taken = Map.groupBy(arrivals, ({ mailId }) => mailId)
  for (const issuance of stored.issuances.values()) {
    violations.push(...issuanceViolations(issuance, taken.get(issuance.id) ?? [], stored, log))
  }
  for (const notice of stored.notices) {
    violations.push(...noticeViolations(notice, taken.get(notice.id) ?? [], log))
  }
  for (const notice of stored.securityNotices) {
    violations.push(...securityNoticeViolations(notice, taken.get(notice.id) ?? [], log))
  }
  violations.push(...unknownMails(arrivals, stored))
  const issuances = [...stored.issuances.values()]
  const repeats = [...taken.values()].map(({ length }) => length - 1)
  const failed = (reason: string) => issuances.filter(({ failureReason }) => failureReason === reason).length
  return {
    figures: {
      'codes issued': issuances.length,
      'mails taken': arrivals.length,
      'of them by SMTP': arrivals.filter(({ by }) => by === 'smtp').length,
      'mailed twice': repeats.filter((count) => count === 1).length,
      'mailed more often': repeats.filter((count) => count > 1).length,
      'not mailed, the challenge was over': failed('challenge-over'),
      'not mailed, a newer code came': failed('superseded'),
      'not mailed in time': failed('code-expired'),
      'lock notices': stored.notices.length,
      'security notices': stored.securityNotices.length,
    },
    violations,
  }
}

function issuanceViolations(
  issuance: StoredIssuance,
  arrivals: readonly Arrival[],
  stored: Stored,
  log: TroubleLog,
): string[] {
  const { id, status, expiresAt } = issuance
  const violations = sendViolations(id, status, arrivals, log)
  if (status === 'queued') violations.push(`${id}: its mail is still queued`)
  if (status !== 'failed' && status !== 'queued' && arrivals.length === 0) {
    violations.push(`${id}: no mail, and its delivery is ${status}`)
  }
  if (status === 'failed') violations.push(...failureViolations(issuance, arrivals, stored, log))
  if (arrivals.some(({ at }) => at > expiresAt.getTime() + LATE_IN_MS)) {
    violations.push(`${id}: mailed long after its code had ended`)
  }
  return violations
}

/** Checks the recorded reason for a mail that was never sent. */
function failureViolations(
  { id, challengeId, number, issuedAt, expiresAt, failedAt, failureReason }: StoredIssuance,
  arrivals: readonly Arrival[],
  { challenges }: Stored,
  log: TroubleLog,
): string[] {
  const challenge = challenges.get(challengeId)!
  const at = failedAt!.getTime()
  switch (failureReason) {
    case 'challenge-over': {
      const { verifiedAt, exhaustedAt, cancelledAt, expiresAt: end } = challenge
      // For a verified challenge that was cancelled, only the trail has the time of its verification.
      const ends = [verifiedAt, exhaustedAt, cancelledAt, end].flatMap((each) => each?.getTime() ?? [])
      const wasOver = Math.min(...ends) <= at || challenge.status === 'cancelled'
      return wasOver ? [] : [`${id}: withheld because the challenge was over, which it was not`]
    }
    case 'superseded':
      return challenge.issuanceCount > number
        ? []
        : [`${id}: withheld for a newer code, which does not exist`]
    case 'code-expired': {
      const hindered = isHindered(log, issuedAt, expiresAt)
      return hindered || arrivals.length > 0 ? [] : [`${id}: not mailed in time, and nothing kept it`]
    }
    default:
      return [`${id}: lost as ${failureReason}`]
  }
}

function noticeViolations(
  { id, status, lockedAt, lockedUntil, failureReason }: StoredNotice,
  arrivals: readonly Arrival[],
  log: TroubleLog,
): string[] {
  const violations = sendViolations(id, status, arrivals, log)
  if (status === 'queued') violations.push(`${id}: its notice is still queued`)
  if (status === 'sent' && arrivals.length === 0)
    violations.push(`${id}: no notice, and it is on record as sent`)
  const hindered = isHindered(log, lockedAt, lockedUntil)
  if (
    status === 'failed' &&
    !(failureReason === 'user-erased' || (failureReason === 'lock-over' && hindered))
  ) {
    violations.push(`${id}: its notice was lost as ${failureReason}`)
  }
  return violations
}

function securityNoticeViolations(
  { id, status, happenedAt, finishedAt }: StoredSecurityNotice,
  arrivals: readonly Arrival[],
  log: TroubleLog,
): string[] {
  const violations = sendViolations(id, status, arrivals, log)
  if (status === 'queued') violations.push(`${id}: its security notice is still queued`)
  if (status === 'sent' && arrivals.length === 0)
    violations.push(`${id}: no security notice, and it is on record as sent`)
  if (status === 'failed' && !isHindered(log, happenedAt, finishedAt!)) {
    violations.push(`${id}: its security notice was lost, and nothing kept it`)
  }
  return violations
}

/** Each mail belongs to an issuance or a notice. */
function unknownMails(arrivals: readonly Arrival[], stored: Stored): string[] {
  const known = new Set([
    ...stored.issuances.keys(),
    ...[...stored.notices, ...stored.securityNotices].map(({ id }) => id),
    ...stored.events.map(({ details }) => String(details.noticeId ?? '')),
  ])
  const unknown = arrivals.filter(({ mailId }) => !known.has(mailId))
  return unknown.map(({ mailId }) => `${mailId}: a mail without an issuance or a notice`)
}

/** Whether a trouble may have prevented the sending of a mail in time. */
function isHindered(log: TroubleLog, from: Date, to: Date): boolean {
  return log.during(from.getTime() - REST_IN_MS, to.getTime(), HINDRANCES).length > 0
}

/**
 * All mails have one code. For each mail except the recorded one, a trouble prevented the answer or the record.
 */
function sendViolations(id: string, status: string, arrivals: readonly Arrival[], log: TroubleLog): string[] {
  const violations: string[] = []
  if (new Set(arrivals.map(({ code }) => code)).size > 1) violations.push(`${id}: mailed with two codes`)
  const unrecorded = status === 'failed' ? arrivals : arrivals.slice(0, -1)
  for (const { at, by } of unrecorded) {
    const reasons = log
      .during(at, at + RECORDED_WITHIN_IN_MS, ['instance 0', 'instance 1', 'database', by], GRACE_IN_MS)
      .filter(({ name }) => !NO_REASON_TO_REPEAT.test(name))
      // A kill is a matter of its moment, however long the next process takes to start.
      .filter(({ name, beganAt }) => name !== 'SIGKILL' || beganAt > at - GRACE_IN_MS)
    if (reasons.length === 0) {
      violations.push(
        `${id} is ${status}: one of ${arrivals.length} mails is not on record, without a reason`,
      )
    }
  }
  return violations
}
