import { Challenge, ChallengeNotFound, type ChallengeStatus } from '../../domain/challenge.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { type Decided, decideAndSave } from '../decide-and-save.ts'
import type { AuditTrail } from '../ports/audit-trail.ts'
import type { Clock } from '../ports/clock.ts'
import { MAIL_READER, type Origin, type Provenance } from '../ports/provenance.ts'
import type { ReportLinks } from '../ports/report-links.ts'
import type { ReportableChallenges } from '../ports/reportable-challenges.ts'
import type { StepUps } from '../ports/step-ups.ts'
import { mayEndOthers, reportedChallenge } from './reported-challenge.ts'

export interface ReportChallengeCommand {
  readonly token: string
  /** Whether the user's other live challenges end too. */
  readonly endOthers: boolean
  readonly origin: Origin
}

export interface ReportOutcome {
  readonly challengeId: string
  /** The client that opened the challenge. */
  readonly clientId: string
  /** False if an earlier call reported the challenge. Then this one stored no report. */
  readonly isFirst: boolean
  /** How the challenge stood when it was first reported. A pending or verified one was cancelled. */
  readonly statusBefore: ChallengeStatus
  /** BCP 47 language tag of the user, where known. */
  readonly locale: string | undefined
  /** How many other challenges this call ended. Undefined if it was not asked to, or if the mail or its first report is too old. */
  readonly othersEnded: number | undefined
}

/**
 * How long after the first report others can still be ended: for a reader who forgot to say so, and for a process that died in between.
 * Not for good, or an old mail in wrong hands could end whatever its user begins.
 */
const OTHERS_END_WITHIN_SECONDS = 15 * 60
/** More than any user has live. Each costs a decision. */
const MOST_OTHERS = 100

/** What the decision about the mail's own challenge gives to the rest of the call. */
interface Reported extends Pick<ReportOutcome, 'clientId' | 'isFirst' | 'statusBefore' | 'locale'> {
  readonly subjectUserId: string
  readonly reportedAt: Date
  /** When the operation was asked for. */
  readonly createdAt: Date
}

/** Records that the reader of a mail did not ask for its operation, once for each challenge, and ends the challenge if it is live. */
export class ReportChallenge {
  readonly #links: Pick<ReportLinks, 'mailOf'>
  readonly #challenges: ReportableChallenges
  readonly #stepUps: StepUps
  readonly #trail: AuditTrail
  readonly #clock: Clock

  constructor(
    links: Pick<ReportLinks, 'mailOf'>,
    challenges: ReportableChallenges,
    stepUps: StepUps,
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
   * @throws what {@link decideAndSave} throws, but for {@link ChallengeNotFound}
   */
  async execute({ token, endOthers, origin }: ReportChallengeCommand): Promise<ReportOutcome | undefined> {
    const found = await reportedChallenge(this.#links, this.#challenges, token)
    if (!found) return undefined
    const { challengeId, mail } = found
    const provenance = { actor: MAIL_READER, ...origin }

    const reported = await this.#report(challengeId, mail.kind, provenance)
    if (!reported) return undefined
    const { subjectUserId, reportedAt, createdAt, ...outcome } = reported
    const isRecent = this.#clock.now() < secondsAfter(reportedAt, OTHERS_END_WITHIN_SECONDS)
    const othersMayEnd = isRecent && mayEndOthers({ createdAt }, reportedAt)
    const othersEnded =
      endOthers && othersMayEnd ? await this.#endOthers(subjectUserId, provenance) : undefined
    return { challengeId, ...outcome, othersEnded }
  }

  /**
   * The trail is read between load and save. A report that is stored after the load moves the version of the subject, so this one is
   * then not stored and decided again.
   */
  async #report(
    challengeId: string,
    mail: 'otp' | 'lock-notice',
    provenance: Provenance,
  ): Promise<Reported | undefined> {
    try {
      return await decideAndSave(
        this.#stepUps,
        this.#clock,
        challengeId,
        provenance,
        async ({ challenge, standing, user }, now): Promise<Decided<Reported>> => {
          const { subjectUserId, clientId, createdAt } = challenge
          const about = { subjectUserId, clientId, createdAt, locale: user?.locale }
          const events = await this.#trail.eventsOf(challengeId)
          const earlier = events.find((event) => event.type === 'challenge-reported')
          if (earlier) {
            const { statusBefore, at: reportedAt } = earlier
            return { decision: undefined, result: { ...about, statusBefore, reportedAt, isFirst: false } }
          }
          const statusBefore = Challenge.statusAt(challenge, now)
          const [decided, reports] = Challenge.report(challenge, mail, now)
          return {
            decision: { challenge: decided, standing, events: reports },
            result: { ...about, statusBefore, reportedAt: now, isFirst: true },
          }
        },
      )
    } catch (error) {
      if (error instanceof ChallengeNotFound) return undefined
      throw error
    }
  }

  async #endOthers(subjectUserId: string, provenance: Provenance): Promise<number> {
    const live = await this.#challenges.liveOf(subjectUserId, this.#clock.now(), MOST_OTHERS)
    let ended = 0
    for (const challengeId of live) {
      if (await this.#end(challengeId, provenance)) ended++
    }
    return ended
  }

  /** Whether this call ended it: a decision of somebody else may have come first. */
  #end(challengeId: string, provenance: Provenance): Promise<boolean> {
    return decideAndSave(
      this.#stepUps,
      this.#clock,
      challengeId,
      provenance,
      ({ challenge, standing }, now) => {
        if (!Challenge.isLive(challenge, now)) return { decision: undefined, result: false }
        const [cancelled, event] = Challenge.cancel(challenge, 'reported', now)
        return { decision: { challenge: cancelled, standing, events: [event] }, result: true }
      },
    )
  }
}
