import type { Limits } from './place.ts'
import type { CheckResults, Evidence } from './reconciliation.ts'
import type { Stored, StoredChallenge, StoredEvent, StoredIssuance } from './stored.ts'

const HOUR_IN_MS = 3_600_000

/** The state of a challenge by its events so far. */
interface ChallengeSoFar {
  status: StoredChallenge['status']
  attemptsRemaining: number
  issuances: { readonly id: string; readonly at: number }[]
  verifiedAt: number | null
  endedAt: number | null
}

/** The state of a subject by its events so far. */
interface StandingSoFar {
  failures: number
  locks: number
  lockedUntil: number | null
  issuances: number[]
}

/** Replays the trail event by event: it must lead to the stored state, and no event may break a limit or the order. */
export function trailAgainstState({ limits }: Evidence, stored: Stored): CheckResults {
  const violations: string[] = []
  const trails = Map.groupBy(stored.events, ({ subject }) => subject)
  for (const [subject, events] of trails) {
    const replay = new Replay(limits, stored)
    for (const event of events) replay.apply(event)
    violations.push(...replay.finished(subject))
  }
  for (const { id, subject } of stored.challenges.values()) {
    if (!trails.has(subject)) violations.push(`${id} has no trail`)
  }
  violations.push(...strangerViolations(stored), ...deliveryViolations(stored))
  return { figures: { 'events in the trail': stored.events.length }, violations }
}

/** Replays the decisions about one subject. */
class Replay {
  readonly #violations: string[] = []
  readonly #limits: Limits
  readonly #stored: Stored
  readonly #challenges = new Map<string, ChallengeSoFar>()
  readonly #standing: StandingSoFar = { failures: 0, locks: 0, lockedUntil: null, issuances: [] }

  constructor(limits: Limits, stored: Stored) {
    this.#limits = limits
    this.#stored = stored
  }

  apply(event: StoredEvent): void {
    const { type, challengeId, at } = event
    // A stranger stands on a trail of their own, and has no part in the state of the challenge.
    if (challengeId === null || type === 'stranger-refused') return
    if (type === 'challenge-opened') {
      this.#expect(!this.#challenges.has(challengeId), event, 'it was open already')
      this.#challenges.set(challengeId, {
        ...{ status: 'pending', attemptsRemaining: this.#limits.maxAttempts, issuances: [] },
        ...{ verifiedAt: null, endedAt: null },
      })
      return
    }
    const challenge = this.#challenges.get(challengeId)
    if (!challenge) {
      this.#expect(false, event, 'the challenge had not been opened')
      return
    }
    if (type !== 'subject-locked') {
      this.#expect(this.#standing.failures < this.#limits.subjectMaxFailures, event, 'no lock came before')
    }
    switch (type) {
      case 'otp-issued':
        this.#issued(event, challenge)
        break
      case 'otp-rejected':
        this.#expectJudgeable(event, challenge)
        challenge.attemptsRemaining--
        this.#standing.failures++
        this.#expect(
          event.details.attemptsRemaining === challenge.attemptsRemaining,
          event,
          'it was not counted',
        )
        break
      case 'challenge-exhausted':
        this.#expect(challenge.attemptsRemaining === 0, event, 'attempts were left')
        challenge.status = 'exhausted'
        challenge.endedAt = at.getTime()
        break
      case 'subject-locked':
        this.#locked(event)
        break
      case 'challenge-verified':
        this.#verified(event, challenge)
        break
      case 'challenge-consumed':
        this.#expect(challenge.status === 'verified', event, `it was ${challenge.status}`)
        this.#expect(at < this.#stored.challenges.get(challengeId)!.expiresAt, event, 'it had expired')
        challenge.status = 'consumed'
        challenge.endedAt = at.getTime()
        break
      case 'challenge-cancelled':
        this.#expect(['pending', 'verified'].includes(challenge.status), event, `it was ${challenge.status}`)
        challenge.status = 'cancelled'
        challenge.endedAt = at.getTime()
        break
    }
  }

  /** The differences between the trail and the stored state. */
  finished(subject: string): string[] {
    for (const [id, challenge] of this.#challenges) this.#compareChallenge(id, challenge)
    const stored = this.#stored.standings.get(subject)
    const { failures, locks, lockedUntil, issuances } = this.#standing
    if (stored) {
      const said = [
        stored.consecutiveFailures,
        stored.consecutiveLocks,
        stored.lockedUntil?.getTime() ?? null,
        ...(stored.recentIssuances ?? []).map((at) => at.getTime()),
      ]
      const followed = [failures, locks, lockedUntil, ...issuances]
      if (said.join() !== followed.join()) {
        this.#violations.push(`${subject} stands at ${said}, and by its trail at ${followed}`)
      }
    } else this.#violations.push(`${subject} has a trail and no standing`)
    return this.#violations
  }

  #issued(event: StoredEvent, challenge: ChallengeSoFar): void {
    const { details } = event
    const at = event.at.getTime()
    const { maxIssuances, subjectMaxIssuances, cooldownInSeconds, codeLifetimeInSeconds } = this.#limits
    const count = challenge.issuances.length
    this.#expect(challenge.status === 'pending', event, `it was ${challenge.status}`)
    this.#expect(!this.#isLocked(at), event, 'the subject was locked')
    this.#expect(details.number === count + 1, event, `it is number ${String(details.number)} after ${count}`)
    this.#expect(count < maxIssuances, event, 'the challenge had used all its codes')
    const before = challenge.issuances.at(-1)
    const cooldown = Math.max(
      cooldownInSeconds,
      Math.min(cooldownInSeconds * 2 ** (count - 1), codeLifetimeInSeconds),
    )
    this.#expect(!before || at >= before.at + cooldown * 1000, event, 'the code before was too young')
    const ofLastHour = this.#standing.issuances.filter((each) => at < each + HOUR_IN_MS)
    this.#expect(ofLastHour.length < subjectMaxIssuances, event, 'the subject had used all codes of the hour')
    this.#standing.issuances = [...ofLastHour, at]
    challenge.issuances.push({ id: String(details.issuanceId), at })
  }

  #locked(event: StoredEvent): void {
    const { subjectLockInSeconds, subjectMaxFailures } = this.#limits
    const until = Date.parse(String(event.details.until))
    const lasts = subjectLockInSeconds * 2 ** this.#standing.locks
    this.#expect(
      this.#standing.failures === subjectMaxFailures,
      event,
      `after ${this.#standing.failures} failures`,
    )
    this.#expect(until === event.at.getTime() + lasts * 1000, event, `it lasts ${lasts} s`)
    this.#standing.failures = 0
    this.#standing.locks++
    this.#standing.lockedUntil = until
  }

  #verified(event: StoredEvent, challenge: ChallengeSoFar): void {
    this.#expectJudgeable(event, challenge)
    const newest = challenge.issuances.at(-1)
    this.#expect(newest?.id === event.details.issuanceId, event, 'there was a newer code')
    const issuance = this.#stored.issuances.get(newest?.id ?? '')
    this.#expect(issuance !== undefined && event.at < issuance.expiresAt, event, 'the code had ended')
    challenge.status = 'verified'
    challenge.verifiedAt = event.at.getTime()
    Object.assign(this.#standing, { failures: 0, locks: 0, lockedUntil: null })
  }

  /** Neither ended nor locked. */
  #expectJudgeable(event: StoredEvent, { status, attemptsRemaining }: ChallengeSoFar): void {
    this.#expect(status === 'pending' && attemptsRemaining > 0, event, `it was ${status}`)
    this.#expect(!this.#isLocked(event.at.getTime()), event, 'the subject was locked')
    this.#expect(
      event.at < this.#stored.challenges.get(event.challengeId!)!.expiresAt,
      event,
      'it had expired',
    )
  }

  #isLocked(at: number): boolean {
    return this.#standing.lockedUntil !== null && at < this.#standing.lockedUntil
  }

  #compareChallenge(id: string, challenge: ChallengeSoFar): void {
    const stored = this.#stored.challenges.get(id)
    if (!stored) {
      this.#violations.push(`${id} has a trail, but is not stored`)
      return
    }
    const { status, attemptsRemaining, issuances, verifiedAt, endedAt } = challenge
    const end = stored.consumedAt ?? stored.exhaustedAt ?? stored.cancelledAt
    const said = [stored.status, stored.attemptsRemaining, stored.issuanceCount, end?.getTime()]
    const followed = [status, attemptsRemaining, issuances.length, endedAt ?? undefined]
    const isIt = said.join() === followed.join()
    const isVerifiedThen = status === 'cancelled' || (stored.verifiedAt?.getTime() ?? null) === verifiedAt
    if (!isIt || !isVerifiedThen) this.#violations.push(`${id} is ${said}, and by its trail ${followed}`)
    for (const issuance of issuances) {
      const row = this.#stored.issuances.get(issuance.id)
      if (row?.challengeId !== id || row.issuedAt.getTime() !== issuance.at) {
        this.#violations.push(`${issuance.id} was issued for ${id}, and is not stored`)
      }
    }
  }

  #expect(holds: boolean, { type, challengeId, at }: StoredEvent, why: string): void {
    if (!holds) this.#violations.push(`${challengeId}: ${type} at ${at.toISOString()}, and ${why}`)
  }
}

/** A stranger is on record once for each challenge. Its subject is no stranger. */
function strangerViolations({ events, challenges }: Stored): string[] {
  const refusals = events.filter(({ type }) => type === 'stranger-refused')
  const seen = new Set<string>()
  return refusals.flatMap(({ challengeId, subject }) => {
    const pair = `${subject} at ${challengeId}`
    const isRepeated = seen.has(pair)
    seen.add(pair)
    const isSubject = challenges.get(challengeId!)?.subject === subject
    return isRepeated || isSubject
      ? [`${pair} is on record as a stranger, ${isSubject ? 'and is none' : 'twice'}`]
      : []
  })
}

/** The outcome of each mail is also in the trail, as often as it can have happened. */
function deliveryViolations({ events, issuances, notices, securityNotices }: Stored): string[] {
  const trail = Map.groupBy(events, ({ details }) => String(details.issuanceId ?? details.noticeId ?? ''))
  const violations: string[] = []
  for (const issuance of issuances.values()) {
    const types = (trail.get(issuance.id) ?? []).map(({ type }) => type)
    const problem = deliveryProblem(issuance, types, (type) => types.filter((each) => each === type).length)
    if (problem) violations.push(`${issuance.id} is ${issuance.status}, and in its trail ${problem}`)
  }
  for (const { id, status } of securityNotices) {
    const types = (trail.get(id) ?? []).map(({ type }) => type)
    const expected = status === 'queued' ? [] : [`security-notice-${status}`]
    if (types.join() !== expected.join())
      violations.push(`security notice ${id} is ${status}, and in its trail ${types}`)
  }
  for (const { id, status } of notices) {
    const types = (trail.get(id) ?? []).map(({ type }) => type)
    const expected = status === 'queued' ? [] : [`lock-notice-${status}`]
    if (types.join() !== expected.join())
      violations.push(`notice ${id} is ${status}, and in its trail ${types}`)
  }
  return violations
}

function deliveryProblem(
  { status, sentAt, deliveredAt }: StoredIssuance,
  types: readonly string[],
  count: (type: string) => number,
): string | undefined {
  if (count('otp-issued') !== 1) return `issued ${count('otp-issued')} times`
  if (count('otp-sent') !== (sentAt ? 1 : 0)) return `sent ${count('otp-sent')} times`
  if (count('otp-delivered') !== (deliveredAt ? 1 : 0)) return `delivered ${count('otp-delivered')} times`
  if (status === 'bounced' && count('otp-bounced') === 0) return 'not bounced'
  if (status !== 'bounced' && count('otp-bounced') > 0) return 'bounced'
  if (count('otp-failed') > 1 || (status === 'failed' && count('otp-failed') === 0)) {
    return `failed ${count('otp-failed')} times`
  }
  // A report can correct a mail that had failed.
  if (status === 'sent' && types.includes('otp-failed')) return 'failed as well'
  return undefined
}
