import type { ReviewedChallenge } from '../application/challenges/review-challenge.ts'
import type { RecordedEvent } from '../application/ports/audit-trail.ts'
import { EmailAddress } from '../domain/email-address.ts'
import { OtpIssuance } from '../domain/otp-issuance.ts'
import type { StepUpPolicy } from '../domain/step-up-policy.ts'
import { aligned } from './terminal.ts'

export type ChallengeReport = ReturnType<typeof challengeReport>

/**
 * A challenge as an operator may see it, built field by field. It has no code, only a masked address, and not the summary of the
 * operation, which contains amounts and names.
 */
export function challengeReport(
  { challenge, status, issuance, resendAvailableAt, subject, events }: ReviewedChallenge,
  policy: StepUpPolicy,
) {
  return {
    challengeId: challenge.id,
    status,
    clientId: challenge.clientId,
    subjectUserId: challenge.subjectUserId,
    operation: { type: challenge.operation.type, digest: challenge.operation.digest },
    createdAt: challenge.createdAt,
    expiresAt: challenge.expiresAt,
    budgets: {
      attemptsRemaining: challenge.attemptsRemaining,
      attemptsRemainingOfSubject: subject.attemptsRemaining,
      issuancesRemaining: Math.max(0, policy.maxIssuances - challenge.issuanceCount),
      resendAvailableAt: resendAvailableAt ?? null,
      subjectLockedUntil: subject.lockedUntil ?? null,
    },
    issuance: issuance ? issuanceReport(issuance, subject.suppressed) : null,
    events: eventReports(events),
  }
}

export type PurgedReport = ReturnType<typeof purgedReport>

/** What is left of a challenge that is past its retention: its events, which are kept for longer. */
export function purgedReport(challengeId: string, events: readonly [RecordedEvent, ...RecordedEvent[]]) {
  return {
    challengeId,
    status: 'purged',
    subjectUserId: events[0].subjectUserId,
    events: eventReports(events),
  }
}

function eventReports(events: readonly RecordedEvent[]) {
  return events.map(({ type, at, actor, requestId, remoteAddress, subjectUserId: _, ...rest }) => {
    const { challengeId: __, ...details } = { challengeId: undefined, ...rest }
    const origin = { requestId: requestId ?? null, remoteAddress: remoteAddress ?? null }
    return { type, occurredAt: at, actor, ...origin, details: details as Readonly<Record<string, unknown>> }
  })
}

function issuanceReport(issuance: OtpIssuance, addressSuppressed: boolean) {
  const none = {
    ...{ nextAttemptAt: null, sentAt: null, messageId: null, delayedAt: null, deliveredAt: null },
    ...{ bouncedAt: null, kind: null, failedAt: null, reason: null },
  }
  const { nextAttemptAt, sentAt, messageId, delayedAt, deliveredAt, bouncedAt, kind, failedAt, reason } = {
    ...none,
    ...issuance,
  }
  return {
    issuanceId: issuance.id,
    number: issuance.number,
    reference: OtpIssuance.reference(issuance),
    keyId: issuance.keyId,
    recipient: EmailAddress.mask(issuance.recipient),
    addressSuppressed,
    issuedAt: issuance.issuedAt,
    expiresAt: issuance.expiresAt,
    delivery: issuance.status,
    deliveryAttempts: issuance.deliveryAttempts,
    nextAttemptAt,
    sentAt: sentAt ?? null,
    messageId: messageId ?? null,
    delayedAt: delayedAt ?? null,
    deliveredAt: deliveredAt ?? null,
    bouncedAt,
    bounceKind: kind,
    failedAt,
    failureReason: reason,
  }
}

/** The text for people: first the state, then the events. All times are UTC. */
export function challengeText(report: ChallengeReport): string {
  const { budgets, issuance } = report
  const state = [
    ['status', report.status],
    ['client', report.clientId],
    ['subject', report.subjectUserId],
    ['operation', `${report.operation.type}, digest ${report.operation.digest}`],
    ['opened', timeOf(report.createdAt)],
    ['expires', timeOf(report.expiresAt)],
    ['guesses left', `${budgets.attemptsRemaining}, of the subject ${budgets.attemptsRemainingOfSubject}`],
    ...(budgets.subjectLockedUntil ? [['locked until', timeOf(budgets.subjectLockedUntil)]] : []),
    [
      'codes left',
      `${budgets.issuancesRemaining}, next ${budgets.resendAvailableAt ? `from ${timeOf(budgets.resendAvailableAt)}` : 'never'}`,
    ],
    ...(issuance
      ? [['newest code', newestCode(issuance)], ...mailRows(issuance)]
      : [['newest code', 'none']]),
  ]
  return textOf(report.challengeId, state, report.events)
}

/** The text for a challenge that has only events left. */
export function purgedText({ challengeId, subjectUserId, events }: PurgedReport): string {
  const state = [
    ['status', 'purged: the challenge is past its retention, and its events are kept for longer'],
    ['subject', subjectUserId],
  ]
  return textOf(challengeId, state, events)
}

function textOf(
  challengeId: string,
  state: readonly (readonly string[])[],
  reports: ReturnType<typeof eventReports>,
): string {
  const events = reports.map(({ type, occurredAt, actor, requestId, remoteAddress, details }) => [
    timeOf(occurredAt),
    type,
    actor,
    [
      ...Object.entries(details).map(([name, value]) => `${name}=${detailOf(value)}`),
      ...(requestId ? [`request=${requestId}`] : []),
      ...(remoteAddress ? [`from=${remoteAddress}`] : []),
    ].join(' '),
  ])
  return [`Challenge ${challengeId}`, '', aligned(state, '  '), '', aligned(events, '  ')].join('\n')
}

function newestCode({
  number,
  reference,
  keyId,
  issuedAt,
  expiresAt,
}: NonNullable<ChallengeReport['issuance']>) {
  return `number ${number}, reference ${reference}, key ${keyId}, issued ${timeOf(issuedAt)}, ends ${timeOf(expiresAt)}`
}

function mailRows(issuance: NonNullable<ChallengeReport['issuance']>): string[][] {
  const attempts = `${issuance.deliveryAttempts} ${issuance.deliveryAttempts === 1 ? 'attempt' : 'attempts'}`
  const times = [
    ['sent', issuance.sentAt, issuance.messageId && `as ${issuance.messageId}`],
    ['delayed', issuance.delayedAt],
    ['delivered', issuance.deliveredAt],
    ['bounced', issuance.bouncedAt, issuance.bounceKind],
    ['failed', issuance.failedAt, issuance.failureReason],
    ['next attempt', issuance.nextAttemptAt],
  ] as const
  const events = times.flatMap(([what, at, more]) =>
    at ? [`${what} ${timeOf(at)}${more ? ` ${more}` : ''}`] : [],
  )
  return [
    ['mail', `${issuance.delivery} to ${issuance.recipient} after ${attempts}`],
    ...events.map((line) => ['', line]),
    ...(issuance.addressSuppressed ? [['', 'no mail goes to this address: it is suppressed']] : []),
  ]
}

function timeOf(at: Date): string {
  return at.toISOString()
}

function detailOf(value: unknown): string {
  return value instanceof Date ? timeOf(value) : String(value)
}
