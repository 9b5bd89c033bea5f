import { type Call, isOutcomeUnknown } from './ledger.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Stored, StoredEvent, StoredIssuance } from './stored.ts'

/** Processes on one machine share a clock. This allows for rounding to milliseconds. */
const ROUNDING_IN_MS = 2

/** Every guess was counted once, none beyond the budget was judged, and every verdict was right. */
export function guesses({ ledger, arrivals, limits }: Evidence, stored: Stored): CheckResults {
  const violations: string[] = []
  const verifies = ledger.calls.filter(({ step }) => step === 'verify')
  const byChallenge = Map.groupBy(verifies, ({ about }) => about)
  const eventsOf = Map.groupBy(stored.events, ({ challengeId }) => challengeId ?? '')
  const issuancesOf = Map.groupBy(stored.issuances.values(), ({ challengeId }) => challengeId)
  const codes = new Map(arrivals.flatMap(({ mailId, code }) => (code === undefined ? [] : [[mailId, code]])))

  for (const { id, attemptsRemaining } of stored.challenges.values()) {
    const sent = byChallenge.get(id) ?? []
    const counted = limits.maxAttempts - attemptsRemaining
    const answered = sent.filter(({ code }) => code === 'INVALID_OTP').length
    const perhaps = sent.filter(isOutcomeUnknown).length
    if (counted < answered || counted > answered + perhaps) {
      violations.push(
        `${id}: ${answered} to ${answered + perhaps} wrong codes were judged, and ${counted} counted`,
      )
    }
    const rejections = (eventsOf.get(id) ?? []).filter(({ type }) => type === 'otp-rejected').length
    if (rejections !== counted) violations.push(`${id}: ${counted} counted, and ${rejections} in the trail`)
    if (rejections > limits.maxAttempts) violations.push(`${id}: ${rejections} guesses were judged`)
  }
  for (const call of verifies) {
    const issuances = issuancesOf.get(call.about) ?? []
    if (call.status === 204) {
      const verified = eventsOf
        .get(call.about)
        ?.find(({ type, requestId }) => type === 'challenge-verified' && requestId === call.requestId)
      const right = codes.get(String(verified?.details.issuanceId))
      if (right !== call.said.code)
        violations.push(`${call.about} (${call.requestId}): a wrong code verified it`)
    }
    if (call.code === 'INVALID_OTP' && isRight(call, issuances, codes, eventsOf.get(call.about) ?? [])) {
      violations.push(`${call.about} (${call.requestId}): the right code was refused`)
    }
  }
  return {
    figures: {
      'guesses sent': verifies.length,
      'wrong guesses answered': verifies.filter(({ code }) => code === 'INVALID_OTP').length,
      'wrong guesses counted': stored.events.filter(({ type }) => type === 'otp-rejected').length,
      'challenges verified': stored.events.filter(({ type }) => type === 'challenge-verified').length,
      'challenges exhausted': stored.events.filter(({ type }) => type === 'challenge-exhausted').length,
      'subjects locked': stored.events.filter(({ type }) => type === 'subject-locked').length,
    },
    violations,
  }
}

/** Whether its code was the newest one, and valid, when it was judged. */
function isRight(
  { said, requestId }: Call,
  issuances: readonly StoredIssuance[],
  codes: ReadonlyMap<string, string>,
  events: readonly StoredEvent[],
): boolean {
  const judged = events.findIndex((event) => event.type === 'otp-rejected' && event.requestId === requestId)
  if (judged === -1) return false
  const { at } = events[judged]!
  const issued = events.slice(0, judged).findLast(({ type }) => type === 'otp-issued')
  const newest = issuances.find(({ id }) => id === issued?.details.issuanceId)
  const alive = newest !== undefined && at.getTime() + ROUNDING_IN_MS < newest.expiresAt.getTime()
  return alive && codes.get(newest.id) === said.code
}
