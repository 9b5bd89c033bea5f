import { Challenge, type ChallengeStatus } from '../../domain/challenge.ts'
import type { SummaryLine } from '../../domain/operation.ts'
import { StepUp } from '../../domain/step-up.ts'
import { whereaboutsOf } from '../decide-and-save.ts'
import type { AuditTrail } from '../ports/audit-trail.ts'
import type { Clock } from '../ports/clock.ts'
import type { ReportLinks } from '../ports/report-links.ts'
import type { ReportableChallenges } from '../ports/reportable-challenges.ts'
import type { StepUps } from '../ports/step-ups.ts'
import { mayEndOthers, reportedChallenge } from './reported-challenge.ts'

export interface ReviewedMail {
  readonly challengeId: string
  /** The client that opened the challenge. */
  readonly clientId: string
  readonly status: ChallengeStatus
  /** Undefined if somebody other than the service wrote it. */
  readonly summary: readonly SummaryLine[] | undefined
  readonly createdAt: Date
  /** BCP 47 language tag of the user, where known. */
  readonly locale: string | undefined
  readonly isReported: boolean
  /** Whether a report by this mail could still end the user's other live challenges. */
  readonly endsOthers: boolean
}

/** Shows the reader of a mail what the link in it would report. Changes nothing, because scanners of mails follow links. */
export class ReviewReportedMail {
  readonly #links: Pick<ReportLinks, 'mailOf'>
  readonly #challenges: ReportableChallenges
  readonly #stepUps: Pick<StepUps, 'load'>
  readonly #trail: AuditTrail
  readonly #clock: Clock

  constructor(
    links: Pick<ReportLinks, 'mailOf'>,
    challenges: ReportableChallenges,
    stepUps: Pick<StepUps, 'load'>,
    trail: AuditTrail,
    clock: Clock,
  ) {
    this.#links = links
    this.#challenges = challenges
    this.#stepUps = stepUps
    this.#trail = trail
    this.#clock = clock
  }

  /**
   * Undefined if the token leads to nothing: it is not ours, or past retention.
   *
   * @throws {StorageUnavailable} @throws {DirectoryUnavailable} as {@link StepUps.load} does
   */
  async execute(token: string): Promise<ReviewedMail | undefined> {
    const found = await reportedChallenge(this.#links, this.#challenges, token)
    const stepUp = found && (await this.#stepUps.load(found.challengeId))
    if (!stepUp) return undefined

    const events = await this.#trail.eventsOf(stepUp.challenge.id)
    const now = this.#clock.now()
    // The next decision stores the cancellation; a read shows it already.
    const challenge =
      StepUp.cancelIfUnsound(stepUp, whereaboutsOf(stepUp), now)?.challenge ?? stepUp.challenge
    return {
      challengeId: challenge.id,
      clientId: challenge.clientId,
      status: Challenge.statusAt(challenge, now),
      summary: stepUp.forgery ? undefined : challenge.operation.summary,
      createdAt: challenge.createdAt,
      locale: stepUp.user?.locale,
      isReported: events.some(({ type }) => type === 'challenge-reported'),
      endsOthers: mayEndOthers(challenge, now),
    }
  }
}
