import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import { OtpIssuance } from '../../../domain/otp-issuance.ts'

/** Who takes part in a challenge, as the picture has them from left to right. */
export type Party = 'service' | 'countersign' | 'mailbox' | 'user'

/** Whether it is what should happen, what should not, something to wait for, or neither. */
export type Tone = 'good' | 'bad' | 'wait' | 'plain'

/** One event, as an agent reads it. */
export interface Step {
  readonly at: Date
  /** Two or three words, for the picture. */
  readonly label: string
  /** A sentence. */
  readonly words: string
  readonly from: Party
  /** The same as `from` for what one of them does alone. */
  readonly to: Party
  readonly tone: Tone
  /** Who caused it, if that is not clear from the words: an agent, an operator. */
  readonly by: string | undefined
}

type Telling = Pick<Step, 'label' | 'words' | 'from' | 'to' | 'tone'>
type EventOf<Type extends RecordedEvent['type']> = Extract<RecordedEvent, { readonly type: Type }>
type Tellings = {
  readonly [Type in RecordedEvent['type']]: (event: EventOf<Type>, context: TimelineContext) => Telling
}

interface TimelineContext {
  /** The number and mark of a code. */
  codeOf(issuanceId: string): string
  timeOf(at: Date): string
}

/** The events of one challenge, in words. @param timeOf how the page writes a time. */
export function timeline(events: readonly RecordedEvent[], timeOf: (at: Date) => string): readonly Step[] {
  const codes = new Map(
    events.flatMap((event) =>
      event.type === 'otp-issued'
        ? [[event.issuanceId, `code ${event.number} (mark ${OtpIssuance.reference(event)})`]]
        : [],
    ),
  )
  const context = { codeOf: (issuanceId: string) => codes.get(issuanceId) ?? 'a code', timeOf }
  return events.map((event) => {
    // TypeScript does not see that both are of one type.
    const tell = TELLINGS[event.type] as (event: RecordedEvent, context: TimelineContext) => Telling
    return { at: event.at, ...tell(event, context), by: personBehind(event.actor) }
  })
}

/** Parties of every challenge need no name. */
function personBehind(actor: string): string | undefined {
  return /^(?:agent|operator):/.test(actor) ? actor : undefined
}

const atCountersign = (label: string, words: string, tone: Tone): Telling => ({
  ...{ label, words, tone },
  from: 'countersign',
  to: 'countersign',
})
const atMailbox = (label: string, words: string, tone: Tone): Telling => ({
  ...{ label, words, tone },
  from: 'mailbox',
  to: 'mailbox',
})
const mailed = (label: string, words: string, tone: Tone): Telling => ({
  ...{ label, words, tone },
  from: 'countersign',
  to: 'mailbox',
})
const byUser = (label: string, words: string, tone: Tone): Telling => ({
  ...{ label, words, tone },
  from: 'user',
  to: 'countersign',
})
const byService = (label: string, words: string, tone: Tone): Telling => ({
  ...{ label, words, tone },
  from: 'service',
  to: 'countersign',
})

const TELLINGS: Tellings = {
  'challenge-opened': ({ clientId, operationType }) =>
    byService('asked', `The service ${clientId} asked for a confirmation of ${operationType}.`, 'plain'),
  'otp-issued': ({ issuanceId }, { codeOf }) =>
    byUser('wants a code', `The user asked for ${codeOf(issuanceId)}.`, 'plain'),
  'otp-sent': ({ issuanceId, attempt }, { codeOf }) =>
    mailed(
      'mailed',
      attempt === 1
        ? `The mail system took the mail with ${codeOf(issuanceId)}.`
        : `The mail system took the mail with ${codeOf(issuanceId)} at attempt ${attempt}.`,
      'good',
    ),
  'otp-deferred': ({ issuanceId, attempt, reply }, { codeOf }) =>
    mailed(
      'not taken yet',
      `The mail system did not take the mail with ${codeOf(issuanceId)} at attempt ${attempt}${replied(reply)}. Another attempt follows.`,
      'wait',
    ),
  'otp-failed': ({ issuanceId, reason, reply }, { codeOf }) =>
    mailed(
      'not mailed',
      `The mail with ${codeOf(issuanceId)} was not sent: ${MAIL_FAILURES[reason]}${replied(reply)}.`,
      'bad',
    ),
  'otp-delayed': ({ issuanceId }, { codeOf }) =>
    atMailbox('delayed', `The mail with ${codeOf(issuanceId)} waits at a mail system on its way.`, 'wait'),
  'otp-delivered': ({ issuanceId }, { codeOf }) =>
    atMailbox('delivered', `The mail system of the user took the mail with ${codeOf(issuanceId)}.`, 'good'),
  'otp-bounced': ({ issuanceId, kind }, { codeOf }) =>
    atMailbox('came back', `The mail with ${codeOf(issuanceId)} ${BOUNCES[kind]}.`, 'bad'),
  'address-suppressed': ({ reason }) =>
    atCountersign('no more mails', `The address gets no more mails: ${SUPPRESSIONS[reason]}.`, 'bad'),
  'otp-rejected': ({ attemptsRemaining }) =>
    byUser('wrong code', `The user typed a wrong code. ${guesses(attemptsRemaining)}`, 'bad'),
  'challenge-verified': ({ issuanceId }, { codeOf }) =>
    byUser('right code', `The user typed ${codeOf(issuanceId)}. It was right.`, 'good'),
  'challenge-exhausted': () =>
    atCountersign('used up', 'That was the last attempt. The confirmation cannot succeed any more.', 'bad'),
  'challenge-expired': () => atCountersign('time over', 'The time of the confirmation was over.', 'bad'),
  'challenge-consumed': () =>
    byService('carried out', 'The service used the confirmation for its operation.', 'good'),
  'consumption-refused': ({ reason }) =>
    byService(
      'refused',
      reason === 'digest-mismatch'
        ? 'The service tried to use the confirmation for another operation. That was refused.'
        : 'The service tried to use the confirmation, and it was not sound. That was refused.',
      'bad',
    ),
  'stranger-refused': () =>
    byUser('stranger', 'Another user tried this confirmation. That was refused.', 'bad'),
  'challenge-cancelled': ({ reason }) =>
    atCountersign('cancelled', `The confirmation was cancelled: ${CANCELLATIONS[reason]}.`, 'bad'),
  'subject-locked': ({ until }, { timeOf }) =>
    atCountersign('locked', `Too many wrong codes: the user is locked until ${timeOf(until)}.`, 'bad'),
  'lock-notice-sent': () => mailed('warned', 'A mail warned the user about the lock.', 'plain'),
  'lock-notice-failed': () => mailed('not warned', 'The mail about the lock was not sent.', 'wait'),
  'user-put': ({ emailAddressChanged }) =>
    atCountersign(
      'entry changed',
      emailAddressChanged ? 'The user got another address.' : 'The entry of the user was stored.',
      'plain',
    ),
  'user-erased': () => atCountersign('erased', 'The user was erased.', 'plain'),
  'suppression-lifted': () => atCountersign('mails again', 'The address gets mails again.', 'good'),
  'subject-unlocked': () => atCountersign('unlocked', 'The support ended the lock of the user.', 'good'),
  'security-notice-sent': () => mailed('notice', 'A security notice went to the user.', 'plain'),
  'security-notice-failed': () => mailed('no notice', 'A security notice was not sent.', 'wait'),
}

const FORGED = 'its row in the database is not one that this service wrote'

const MAIL_FAILURES: Readonly<Record<EventOf<'otp-failed'>['reason'], string>> = {
  superseded: 'a newer code replaced it',
  'challenge-over': 'the confirmation had ended',
  'code-expired': 'the time of the code was over',
  refused: 'the mail system refuses the address',
  unsealed: FORGED,
  'broken-seal': FORGED,
  'set-back': FORGED,
}

const BOUNCES: Readonly<Record<EventOf<'otp-bounced'>['kind'], string>> = {
  'soft-bounce': 'came back: the mailbox did not take it this time',
  'hard-bounce': 'came back: the mailbox does not exist, or takes nothing',
  complaint: 'was reported as spam by its reader',
}

export const SUPPRESSIONS: Readonly<Record<EventOf<'address-suppressed'>['reason'], string>> = {
  'hard-bounce': 'a mail came back for good',
  complaint: 'its reader reported a mail as spam',
  unsubscribed: 'its owner unsubscribed at the mail system',
  refused: 'the mail system refuses it',
}

const CANCELLATIONS: Readonly<Record<EventOf<'challenge-cancelled'>['reason'], string>> = {
  'by-client': 'the service took it back',
  'by-subject': 'the user cancelled it',
  'email-address-changed': 'the user got another address',
  'user-gone': 'the user is gone from the directory, is disabled there, or has no usable address',
  'user-erased': 'the user was erased',
  'operation-mismatch': 'three calls tried to use it for another operation',
  restored: 'the database was restored from a backup',
  unsealed: FORGED,
  'broken-seal': FORGED,
  'set-back': FORGED,
}

function guesses(left: number): string {
  if (left === 0) return 'No attempt is left.'
  return left === 1 ? 'One attempt is left.' : `${left} attempts are left.`
}

function replied(reply: string | undefined): string {
  return reply === undefined ? '' : ` (it answered ${reply})`
}
