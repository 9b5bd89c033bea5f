import type { ReviewedChallenge } from '../../../application/challenges/review-challenge.ts'
import type { CancellationReason } from '../../../domain/domain-event.ts'
import type { OtpIssuance } from '../../../domain/otp-issuance.ts'
import { SUPPRESSIONS } from './timeline.ts'

type Reviewed = Pick<
  ReviewedChallenge,
  'challenge' | 'status' | 'issuance' | 'resendAvailableAt' | 'subject' | 'events'
>

/** What an agent says to the caller about this challenge, the most urgent first. @param timeOf how the page writes a time. */
export function callerAdvice(reviewed: Reviewed, now: Date, timeOf: (at: Date) => string): readonly string[] {
  return [...ofSubject(reviewed, timeOf), ...ofChallenge(reviewed, now, timeOf)]
}

function ofSubject({ subject, events }: Reviewed, timeOf: (at: Date) => string): readonly string[] {
  const { lockedUntil, suppressed } = subject
  const reason = events.findLast((event) => event.type === 'address-suppressed')?.reason
  return [
    ...(lockedUntil
      ? [
          `“You are locked because of too many wrong codes. The lock ends by itself at ${timeOf(lockedUntil)}.”`,
          'Unlock them only if you are sure who calls. Somebody else may have typed the wrong codes.',
        ]
      : []),
    ...(suppressed
      ? [
          `“We cannot send mails to your address any more${reason ? `: ${SUPPRESSIONS[reason]}` : ''}. Is it right, and can your mailbox take mails?”`,
          'Once that is mended, lift the suppression on the page of the user.',
        ]
      : []),
  ]
}

function ofChallenge(reviewed: Reviewed, now: Date, timeOf: (at: Date) => string): readonly string[] {
  switch (reviewed.status) {
    case 'pending':
      return ofPending(reviewed, now, timeOf)
    case 'verified':
      return ['“Your code was right. Go back to your app and finish the operation there.”']
    case 'consumed':
      return ['“You have confirmed the operation, and it was passed on.” Nothing more is to do here.']
    case 'exhausted':
      return ['“All attempts of this confirmation are used up. Start the operation again in your app.”']
    case 'expired':
      return ['“The time for this confirmation is over. Start the operation again in your app.”']
    case 'cancelled':
      return [CANCELLED[cancellationOf(reviewed) ?? 'by-client']]
  }
}

function ofPending(
  { issuance, resendAvailableAt, subject }: Reviewed,
  now: Date,
  timeOf: (at: Date) => string,
): readonly string[] {
  if (subject.lockedUntil || subject.suppressed) return []
  if (!issuance) return ['“No code has been sent yet. Ask for one in your app.”']
  const again = !resendAvailableAt
    ? 'This confirmation gets no further code: the caller has to start the operation again.'
    : resendAvailableAt > now
      ? `The caller can ask for another code from ${timeOf(resendAvailableAt)}.`
      : 'The caller can ask for another code now.'
  return [ofMail(issuance, now, timeOf), again]
}

function ofMail(issuance: OtpIssuance, now: Date, timeOf: (at: Date) => string): string {
  if (now >= issuance.expiresAt) return '“The time of your code is over. Ask for a new one in your app.”'
  switch (issuance.status) {
    case 'queued':
      return '“Your mail is about to go out. Please wait a moment.”'
    case 'sent':
      return issuance.delayedAt
        ? '“Your mail waits at a mail system on its way. It may still come.”'
        : `“Your mail went out at ${timeOf(issuance.sentAt)}. Please look into the spam folder as well.”`
    case 'delivered':
      return `“Your mail system took the mail at ${timeOf(issuance.deliveredAt)}. Please look into the spam folder as well.”`
    case 'bounced':
      return '“Your mail came back to us. Is your address right, and is your mailbox full?”'
    case 'failed':
      return '“Your mail could not be sent. Is your address right?”'
  }
}

function cancellationOf({ events }: Reviewed): CancellationReason | undefined {
  return events.findLast((event) => event.type === 'challenge-cancelled')?.reason
}

const START_AGAIN = 'Start the operation again in your app.”'
const UNSOUND =
  '“This confirmation was cancelled for your safety.” Tell the security team: its row in the database was not sound.'

const CANCELLED: Readonly<Record<CancellationReason, string>> = {
  'by-client': `“The operation was taken back. ${START_AGAIN}`,
  'by-subject': `“You cancelled this confirmation. ${START_AGAIN}`,
  'email-address-changed': `“Your address changed, so this confirmation ended. ${START_AGAIN}`,
  'user-gone': '“We have no usable address of yours.” The entry of the user in the directory needs mending.',
  'user-erased': 'The user was erased. There is nothing to say about this confirmation.',
  'operation-mismatch':
    '“This confirmation was cancelled for your safety.” Tell the security team: calls tried to use it for another operation.',
  restored: `“A repair on our side ended this confirmation. ${START_AGAIN}`,
  unsealed: UNSOUND,
  'broken-seal': UNSOUND,
  'set-back': UNSOUND,
}
