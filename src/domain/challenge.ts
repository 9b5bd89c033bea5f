import { DomainError } from './domain-error.ts'
import type { CancellationReason, ChallengeEvent, ConsumptionRefusal } from './domain-event.ts'
import { secondsAfter } from './instant.ts'
import { Operation } from './operation.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/** Identifies a call, so that its repetition can be recognised. */
export interface Idempotency {
  readonly key: string
  /** Equal for equal requests, and only for them. */
  readonly fingerprint: string
}

/** A demand that one subject countersign one operation of one client before a deadline. */
export type Challenge =
  | PendingChallenge
  | VerifiedChallenge
  | ConsumedChallenge
  | ExhaustedChallenge
  | CancelledChallenge

interface OpenedChallenge {
  readonly id: string
  /** The operation service that asked for it. */
  readonly clientId: string
  readonly subjectUserId: string
  readonly operation: Operation
  readonly createdAt: Date
  /** From this instant on the challenge is over, whatever its status; see {@link Challenge.statusAt}. */
  readonly expiresAt: Date
  /** Wrong codes that may still be given, over all issuances. */
  readonly attemptsRemaining: number
  /** How many codes were issued; the newest issuance carries this number. */
  readonly issuanceCount: number
  /** The calls that tried to consume it for another operation, by key and fingerprint; undefined if there was none. */
  readonly mismatchedBy?: readonly string[]
}

export interface PendingChallenge extends OpenedChallenge {
  readonly status: 'pending'
}

interface VerifiedChallenge extends OpenedChallenge {
  readonly status: 'verified'
  readonly verifiedAt: Date
}

export interface ConsumedChallenge extends OpenedChallenge {
  readonly status: 'consumed'
  readonly verifiedAt: Date
  readonly consumedAt: Date
  /** The call that consumed it. The same call again gets the same answer; any other call is refused. */
  readonly consumedBy: Idempotency
}

interface ExhaustedChallenge extends OpenedChallenge {
  readonly status: 'exhausted'
  readonly exhaustedAt: Date
}

export interface CancelledChallenge extends OpenedChallenge {
  readonly status: 'cancelled'
  readonly cancelledAt: Date
}

/** What the end of a challenge by the clock is about. */
type Deadline = Pick<OpenedChallenge, 'id' | 'subjectUserId' | 'expiresAt'>

export type ChallengeStatus = Challenge['status'] | 'expired'

interface ChallengeDemand {
  readonly id: string
  readonly clientId: string
  readonly subjectUserId: string
  readonly operation: Operation
  /** Defaults to the policy's lifetime. */
  readonly lifetimeInSeconds?: number | undefined
}

/** The call for another operation that ends a challenge. One may be a mistake of a service. */
const MAX_MISMATCHES = 3

export const Challenge = {
  /** @throws {OperationMalformed} */
  open(demand: ChallengeDemand, policy: StepUpPolicy, now: Date): [PendingChallenge, ChallengeEvent] {
    const { id, clientId, subjectUserId } = demand
    const operation = Operation.of(demand.operation)
    const challenge: PendingChallenge = {
      status: 'pending',
      id,
      clientId,
      subjectUserId,
      operation,
      createdAt: now,
      expiresAt: secondsAfter(now, demand.lifetimeInSeconds ?? policy.challengeLifetimeInSeconds),
      attemptsRemaining: policy.maxAttempts,
      issuanceCount: 0,
    }
    return [
      challenge,
      { type: 'challenge-opened', ...about(challenge, now), clientId, operationType: operation.type },
    ]
  },

  /** The status to show: a pending or verified challenge past its deadline is `expired`, which is not stored. */
  statusAt(challenge: Challenge, now: Date): ChallengeStatus {
    const endable = challenge.status === 'pending' || challenge.status === 'verified'
    return endable && now >= challenge.expiresAt ? 'expired' : challenge.status
  },

  /** Whether the challenge is pending or verified and before its deadline, so that it can still change. */
  isLive(challenge: Challenge, now: Date): boolean {
    const status = Challenge.statusAt(challenge, now)
    return status === 'pending' || status === 'verified'
  },

  /** @throws {ChallengeOver} unless the challenge can still be verified. */
  assertPending(challenge: Challenge, now: Date): PendingChallenge {
    const status = Challenge.statusAt(challenge, now)
    if (status !== 'pending') throw new ChallengeOver(challenge.id, status)
    return challenge as PendingChallenge
  },

  /** Counts one more issuance. @throws {ChallengeOver} */
  countIssuance(challenge: Challenge, now: Date): PendingChallenge {
    const pending = Challenge.assertPending(challenge, now)
    return { ...pending, issuanceCount: pending.issuanceCount + 1 }
  },

  /** @throws {ChallengeOver} */
  verify(challenge: Challenge, issuanceId: string, now: Date): [VerifiedChallenge, ChallengeEvent] {
    const pending = Challenge.assertPending(challenge, now)
    return [
      { ...pending, status: 'verified', verifiedAt: now },
      { type: 'challenge-verified', ...about(challenge, now), issuanceId },
    ]
  },

  /** Spends one attempt; the last one exhausts the challenge. @throws {ChallengeOver} */
  reject(challenge: Challenge, now: Date): [PendingChallenge | ExhaustedChallenge, ChallengeEvent[]] {
    const pending = Challenge.assertPending(challenge, now)
    const attemptsRemaining = pending.attemptsRemaining - 1
    const rejected: ChallengeEvent = { type: 'otp-rejected', ...about(challenge, now), attemptsRemaining }
    if (attemptsRemaining > 0) return [{ ...pending, attemptsRemaining }, [rejected]]
    return [
      { ...pending, attemptsRemaining, status: 'exhausted', exhaustedAt: now },
      [rejected, { type: 'challenge-exhausted', ...about(challenge, now) }],
    ]
  },

  /** What the clock did to a challenge that was still pending or verified at its deadline. Its stored status stays. */
  expire({ id: challengeId, subjectUserId, expiresAt: at }: Deadline): ChallengeEvent {
    return { type: 'challenge-expired', challengeId, subjectUserId, at }
  },

  /**
   * Uses the approval for its operation. A challenge can be consumed once.
   *
   * @throws {ChallengeNotVerified} @throws {ChallengeOver} also if any call has consumed it already.
   */
  consume(challenge: Challenge, consumedBy: Idempotency, now: Date): [ConsumedChallenge, ChallengeEvent] {
    const status = Challenge.statusAt(challenge, now)
    if (status === 'pending') throw new ChallengeNotVerified(challenge.id)
    if (status !== 'verified') throw new ChallengeOver(challenge.id, status)
    return [
      { ...(challenge as VerifiedChallenge), status: 'consumed', consumedAt: now, consumedBy },
      { type: 'challenge-consumed', ...about(challenge, now) },
    ]
  },

  /**
   * Records an attempt to consume the challenge for another operation, or with a signature that is not ours. The third call for
   * another operation ends a live challenge: somebody tries what the user did not read. The same call again counts once. A call
   * under the same key with another digest is another call: one key may belong to the challenge, as in our own kit.
   */
  refuseConsumption(
    challenge: Challenge,
    reason: ConsumptionRefusal,
    { key, fingerprint }: Idempotency,
    now: Date,
  ): [Challenge, ChallengeEvent[]] {
    const refused: ChallengeEvent = { type: 'consumption-refused', ...about(challenge, now), reason }
    const before = challenge.mismatchedBy ?? []
    const call = `${key} ${fingerprint}`
    const counts = reason === 'digest-mismatch' && Challenge.isLive(challenge, now) && !before.includes(call)
    if (!counts) return [challenge, [refused]]

    const mismatchedBy = [...before, call]
    if (mismatchedBy.length < MAX_MISMATCHES) return [{ ...challenge, mismatchedBy }, [refused]]
    const [cancelled, event] = Challenge.cancel(challenge, 'operation-mismatch', now)
    return [{ ...cancelled, mismatchedBy }, [refused, event]]
  },

  /** Ends a live challenge, verified or not. @throws {ChallengeOver} */
  cancel(challenge: Challenge, reason: CancellationReason, now: Date): [CancelledChallenge, ChallengeEvent] {
    const status = Challenge.statusAt(challenge, now)
    if (status !== 'pending' && status !== 'verified') throw new ChallengeOver(challenge.id, status)
    const { id, clientId, subjectUserId, operation, createdAt, expiresAt, attemptsRemaining, issuanceCount } =
      challenge
    return [
      {
        status: 'cancelled',
        cancelledAt: now,
        ...{ id, clientId, subjectUserId, operation, createdAt, expiresAt, attemptsRemaining, issuanceCount },
      },
      { type: 'challenge-cancelled', ...about(challenge, now), reason },
    ]
  },
}

function about(challenge: Challenge, at: Date) {
  return { challengeId: challenge.id, subjectUserId: challenge.subjectUserId, at }
}

export class ChallengeNotFound extends DomainError {
  readonly code = 'challenge-not-found'
  constructor(id: string) {
    super(`There is no challenge ${id}`)
  }
}

/** The subject has as many live challenges at the client as the policy allows. */
export class LiveChallengesSpent extends DomainError {
  readonly code = 'live-challenges-spent'
  /** Until the first of them expires. One that ends earlier makes room earlier. */
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`No more challenges for ${retryAfterInSeconds} seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}

export class SubjectMismatch extends DomainError {
  readonly code = 'subject-mismatch'
  constructor(id: string) {
    super(`Challenge ${id} is about another subject`)
  }
}

/** The challenge is verified, consumed, exhausted, cancelled or expired, and so does not allow what was asked. */
export class ChallengeOver extends DomainError {
  readonly code: `challenge-${Exclude<ChallengeStatus, 'pending'>}`
  constructor(id: string, status: Exclude<ChallengeStatus, 'pending'>) {
    super(`Challenge ${id} is ${status}`)
    this.code = `challenge-${status}`
  }
}

export class ChallengeNotVerified extends DomainError {
  readonly code = 'challenge-not-verified'
  constructor(id: string) {
    super(`Challenge ${id} is not verified yet`)
  }
}

/** An idempotency key belongs to one request, and was sent again with another one. */
export class IdempotencyKeyReused extends DomainError {
  readonly code = 'idempotency-key-reused'
  constructor() {
    super('The idempotency key was used with another request')
  }
}
