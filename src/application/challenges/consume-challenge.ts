import {
  Challenge,
  ChallengeNotFound,
  type ConsumedChallenge,
  type Idempotency,
  IdempotencyKeyReused,
} from '../../domain/challenge.ts'
import type { ConsumptionRefusal } from '../../domain/domain-event.ts'
import type { EmailAddress } from '../../domain/email-address.ts'
import type { SecurityNoticeDraft } from '../../domain/security-notice.ts'
import { type Decided, decideAndSave } from '../decide-and-save.ts'
import type { ChallengeSigner } from '../ports/challenge-signer.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin } from '../ports/provenance.ts'
import type { LoadedStepUp, StepUps } from '../ports/step-ups.ts'

export interface ConsumeChallengeCommand {
  readonly challengeId: string
  readonly clientId: string
  /** The signature of the opened challenge, as it came back through the user's app. */
  readonly signature: string
  /** The digest of the operation that the client is about to carry out. */
  readonly digest: string
  readonly idempotency: Idempotency
  readonly origin: Origin
}

/** A mismatch is an outcome, not an error: it is stored. */
export type Consumption =
  | {
      readonly outcome: 'consumed'
      readonly challenge: ConsumedChallenge
      /** Proof for anyone with the public keys: this subject approved this operation for this client. */
      readonly authorisation: string
    }
  | { readonly outcome: 'mismatch'; readonly reason: ConsumptionRefusal }

/** Turns a verified challenge into the right to carry out its operation, once. */
export class ConsumeChallenge {
  readonly #stepUps: StepUps
  readonly #signer: ChallengeSigner
  readonly #clock: Clock

  constructor(stepUps: StepUps, signer: ChallengeSigner, clock: Clock) {
    this.#stepUps = stepUps
    this.#signer = signer
    this.#clock = clock
  }

  /**
   * @throws {ChallengeNotFound} also for another client's challenge, so that ids cannot be probed.
   * @throws {ChallengeNotVerified} @throws {ChallengeOver} @throws {IdempotencyKeyReused}
   * @throws what {@link decideAndSave} throws
   */
  async execute(command: ConsumeChallengeCommand): Promise<Consumption> {
    const { challengeId, clientId, origin } = command
    const provenance = { actor: `client:${clientId}`, ...origin }
    const settled = await decideAndSave(this.#stepUps, this.#clock, challengeId, provenance, (stepUp, now) =>
      this.#decide(stepUp, command, now),
    )
    if (typeof settled === 'string') return { outcome: 'mismatch', reason: settled }
    return { outcome: 'consumed', challenge: settled, authorisation: await this.#signer.authorise(settled) }
  }

  async #decide(
    { challenge, standing, user, forgery }: LoadedStepUp,
    { challengeId, clientId, signature, digest, idempotency }: ConsumeChallengeCommand,
    now: Date,
  ): Promise<Decided<ConsumedChallenge | ConsumptionRefusal>> {
    if (challenge.clientId !== clientId) throw new ChallengeNotFound(challengeId)
    const isRepeat = challenge.status === 'consumed' && challenge.consumedBy.key === idempotency.key
    if (isRepeat && challenge.consumedBy.fingerprint !== idempotency.fingerprint) {
      throw new IdempotencyKeyReused()
    }
    if (isRepeat && !forgery) return { decision: undefined, result: challenge }

    const refusal = isRepeat ? forgery : await this.#refusal(challenge, signature, digest)
    if (refusal) {
      const [refused, events] = Challenge.refuseConsumption(challenge, refusal, idempotency, now)
      const recipient = user?.email
      const isEnded = refused.status !== challenge.status
      return {
        decision: {
          ...{ challenge: refused, standing, events },
          ...(isEnded && recipient && { securityNotice: noticeOf(challenge, recipient, now) }),
        },
        result: refusal,
      }
    }
    const [consumed, event] = Challenge.consume(challenge, idempotency, now)
    return { decision: { challenge: consumed, standing, events: [event] }, result: consumed }
  }

  /** The signature comes first: without it nobody was shown the challenge, and a wrong digest must not end it. */
  async #refusal(
    challenge: Challenge,
    signature: string,
    digest: string,
  ): Promise<ConsumptionRefusal | undefined> {
    if (!(await this.#signer.verifies(challenge, signature))) return 'signature-mismatch'
    return challenge.operation.digest === digest ? undefined : 'digest-mismatch'
  }
}

function noticeOf(
  { clientId, subjectUserId }: Challenge,
  recipient: EmailAddress,
  now: Date,
): SecurityNoticeDraft {
  return { kind: 'operation-mismatch', clientId, subjectUserId, recipient, happenedAt: now }
}
