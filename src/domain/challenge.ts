import { DomainError } from './domain-error.ts'
import type { CancellationReason, DomainEvent } from './domain-event.ts'
import { secondsAfter } from './instant.ts'
import { Operation } from './operation.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/** A demand that one subject countersign one operation of one client before a deadline. */
export type Challenge = PendingChallenge | VerifiedChallenge | ExhaustedChallenge | CancelledChallenge

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
}

export interface PendingChallenge extends OpenedChallenge {
  readonly status: 'pending'
}

interface VerifiedChallenge extends OpenedChallenge {
  readonly status: 'verified'
  readonly verifiedAt: Date
}

interface ExhaustedChallenge extends OpenedChallenge {
  readonly status: 'exhausted'
  readonly exhaustedAt: Date
}

interface CancelledChallenge extends OpenedChallenge {
  readonly status: 'cancelled'
  readonly cancelledAt: Date
}

export type ChallengeStatus = Challenge['status'] | 'expired'

interface ChallengeDemand {
  readonly id: string
  readonly clientId: string
  readonly subjectUserId: string
  readonly operation: Operation
  /** Defaults to the policy's lifetime. */
  readonly lifetimeInSeconds?: number | undefined
}

export const Challenge = {
  /** @throws {OperationMalformed} */
  open(demand: ChallengeDemand, policy: StepUpPolicy, now: Date): [PendingChallenge, DomainEvent] {
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

  /** The status as anyone but the store sees it: a pending or verified challenge past its deadline is `expired`. */
  statusAt(challenge: Challenge, now: Date): ChallengeStatus {
    return isLive(challenge) && now >= challenge.expiresAt ? 'expired' : challenge.status
  },

  /** @throws {ChallengeOver} unless the challenge can still be verified. */
  pending(challenge: Challenge, now: Date): PendingChallenge {
    if (challenge.status === 'pending' && now < challenge.expiresAt) return challenge
    throw new ChallengeOver(challenge.id, Challenge.statusAt(challenge, now))
  },

  /** Counts one more issuance. @throws {ChallengeOver} */
  countIssuance(challenge: Challenge, now: Date): PendingChallenge {
    const pending = Challenge.pending(challenge, now)
    return { ...pending, issuanceCount: pending.issuanceCount + 1 }
  },

  /** @throws {ChallengeOver} */
  verify(challenge: Challenge, issuanceId: string, now: Date): [VerifiedChallenge, DomainEvent] {
    const pending = Challenge.pending(challenge, now)
    return [
      { ...pending, status: 'verified', verifiedAt: now },
      { type: 'challenge-verified', ...about(challenge, now), issuanceId },
    ]
  },

  /** Spends one attempt; the last one exhausts the challenge. @throws {ChallengeOver} */
  reject(challenge: Challenge, now: Date): [PendingChallenge | ExhaustedChallenge, DomainEvent[]] {
    const pending = Challenge.pending(challenge, now)
    const attemptsRemaining = pending.attemptsRemaining - 1
    const rejected: DomainEvent = { type: 'otp-rejected', ...about(challenge, now), attemptsRemaining }
    if (attemptsRemaining > 0) return [{ ...pending, attemptsRemaining }, [rejected]]
    return [
      { ...pending, attemptsRemaining, status: 'exhausted', exhaustedAt: now },
      [rejected, { type: 'challenge-exhausted', ...about(challenge, now) }],
    ]
  },

  /** Ends a live challenge, verified or not. @throws {ChallengeOver} */
  cancel(challenge: Challenge, reason: CancellationReason, now: Date): [CancelledChallenge, DomainEvent] {
    const status = Challenge.statusAt(challenge, now)
    if (!isLive(challenge) || status === 'expired') throw new ChallengeOver(challenge.id, status)
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

function isLive(challenge: Challenge): challenge is PendingChallenge | VerifiedChallenge {
  return challenge.status === 'pending' || challenge.status === 'verified'
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

export class SubjectMismatch extends DomainError {
  readonly code = 'subject-mismatch'
  constructor(id: string) {
    super(`Challenge ${id} is about another subject`)
  }
}

/** Verified already, exhausted, cancelled or past its deadline: nothing can be sent or checked for it any more. */
export class ChallengeOver extends DomainError {
  readonly code = 'challenge-over'
  readonly status: ChallengeStatus
  constructor(id: string, status: ChallengeStatus) {
    super(`Challenge ${id} is ${status}`)
    this.status = status
  }
}

/** An idempotency key stands for one request; it came again with another. */
export class IdempotencyKeyReused extends DomainError {
  readonly code = 'idempotency-key-reused'
  constructor() {
    super('The idempotency key was used with another request')
  }
}
