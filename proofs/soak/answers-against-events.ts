import { type Call, isOutcomeUnknown, type Step } from './ledger.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Stored, StoredEvent } from './stored.ts'

/** The events that a request leaves, by what it does. The first of each pair exists at most once. */
const EVENTS_OF: Readonly<Record<Step, readonly string[]>> = {
  open: ['challenge-opened'],
  initiate: ['otp-issued', 'stranger-refused'],
  verify: ['otp-rejected', 'challenge-verified', 'challenge-exhausted', 'subject-locked', 'stranger-refused'],
  consume: ['challenge-consumed', 'consumption-refused', 'challenge-cancelled'],
  cancel: ['challenge-cancelled'],
  inspect: [],
  put: ['user-put', 'challenge-cancelled'],
  erase: ['user-erased', 'challenge-cancelled', 'lock-notice-failed'],
  lift: ['suppression-lifted'],
  report: ['otp-delivered', 'otp-bounced', 'address-suppressed'],
  garbage: [],
}

/** The event that shows which answer the service gave. */
const DECISIVE = new Set([
  'challenge-opened',
  'otp-issued',
  'otp-rejected',
  'challenge-verified',
  'challenge-consumed',
  'consumption-refused',
  'user-put',
  'user-erased',
])

/** The event that an answer promises. Undefined if it decided nothing, or if an earlier request may have decided it. */
function promisedEvent({ step, status, code }: Call): string | undefined {
  switch (step) {
    case 'open':
      return status === 201 ? 'challenge-opened' : undefined
    case 'initiate':
      return status === 204 ? 'otp-issued' : undefined
    case 'verify':
      if (code === 'INVALID_OTP') return 'otp-rejected'
      return status === 204 ? 'challenge-verified' : undefined
    case 'consume':
      return code === 'OPERATION_DOES_NOT_MATCH_CHALLENGE' ? 'consumption-refused' : undefined
    case 'put':
      return status === 200 || status === 201 ? 'user-put' : undefined
    default:
      return undefined
  }
}

/** The refusals that leave events. */
const REFUSALS_ON_RECORD = new Set([
  'INVALID_OTP',
  'OPERATION_DOES_NOT_MATCH_CHALLENGE',
  'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
])

/** The other events that an answer allows, besides the one that it promises. */
function isSuccess({ status, code }: Call): boolean {
  return (status ?? 500) < 300 || REFUSALS_ON_RECORD.has(code ?? '')
}

/**
 * Each answer that reports a decision has an event of its own request. Each event of a request has a matching answer, or none at
 * all. No request left two.
 */
export function answersAgainstEvents({ ledger }: Evidence, stored: Stored): CheckResults {
  const violations: string[] = []
  const calls = new Map(ledger.calls.map((call) => [call.requestId, call]))
  const eventsOf = Map.groupBy(
    stored.events.filter(({ requestId }) => requestId !== null),
    ({ requestId }) => requestId!,
  )
  for (const [requestId, events] of eventsOf) {
    const call = calls.get(requestId)
    violations.push(...(call ? unanswerable(call, events) : [`${requestId} left events, and was never sent`]))
  }
  let unknownStored = 0
  for (const call of ledger.calls) {
    const left = eventsOf.get(call.requestId) ?? []
    if (isOutcomeUnknown(call) && left.length > 0) unknownStored++
    const promised = promisedEvent(call)
    if (promised !== undefined && !left.some(({ type }) => type === promised)) {
      violations.push(`${told(call)}, and there is no ${promised} of it`)
    }
    violations.push(...stateViolations(call, stored))
  }
  const statuses = (...from: readonly number[]) =>
    ledger.calls.filter(({ status }) => from.includes(Math.floor((status ?? 0) / 100))).length
  return {
    figures: {
      'requests answered with success': statuses(2),
      'requests refused (4xx)': statuses(4),
      'requests answered 5xx': statuses(5),
      'requests without an answer': statuses(0),
      'of unknown outcome, and stored': unknownStored,
      'events by requests': [...eventsOf.values()].flat().length,
    },
    violations,
  }
}

function unanswerable(call: Call, events: readonly StoredEvent[]): string[] {
  const violations: string[] = []
  const types = events.map(({ type }) => type)
  const foreign = types.find((type) => !EVENTS_OF[call.step].includes(type))
  if (foreign) violations.push(`${told(call)}, and left ${foreign}`)
  if (!isOutcomeUnknown(call) && !isSuccess(call)) violations.push(`${told(call)}, and left ${types}`)
  const decisive = types.filter((type) => DECISIVE.has(type))
  if (decisive.length > 1) violations.push(`${told(call)}, and was decided more than once: ${decisive}`)
  const promised = promisedEvent(call)
  if (promised && decisive.some((type) => type !== promised)) {
    violations.push(`${told(call)}, and left ${decisive}`)
  }
  return violations
}

/** Checks what an answer promises about the state, if an earlier request may have decided it. */
function stateViolations(call: Call, { challenges, issuances }: Stored): string[] {
  const { step, status, about } = call
  if (status === undefined || status >= 300) return []
  switch (step) {
    case 'open': {
      const challenge = challenges.get(call.body.challengeId)
      const { key, digest } = call.said
      return challenge?.key === key && challenge?.digest === digest && challenge?.subject === about
        ? []
        : [`${told(call)}, and it is not stored`]
    }
    case 'cancel':
      return challenges.get(about)?.status === 'cancelled' ? [] : [`${told(call)}, and it is not cancelled`]
    case 'consume':
      return challenges.get(about)?.status === 'consumed' ? [] : [`${told(call)}, and it is not consumed`]
    case 'report': {
      const issuance = issuances.get(about)
      if (!issuance) return []
      const isStored = call.said.news === 'delivered' ? issuance.deliveredAt : issuance.status === 'bounced'
      return isStored ? [] : [`${told(call)} (${call.said.news}), and its mail is ${issuance.status}`]
    }
    default:
      return []
  }
}

function told({ requestId, step, about, status, code }: Call): string {
  return `${step} ${about} (${requestId}) was answered ${status ?? 'by nobody'}${code ? ` ${code}` : ''}`
}
