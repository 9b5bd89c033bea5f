import type { ChallengeEvent, SuppressionReason } from './domain-event.ts'
import { later } from './instant.ts'
import { type MailReport, OtpIssuance } from './otp-issuance.ts'
import { SubjectStanding } from './subject-standing.ts'

/** What the news of a mail bear upon: its issuance, and the standing of its subject, as both stood at one instant. */
export interface MailOutcome {
  readonly issuance: OtpIssuance
  readonly standing: SubjectStanding
}

/** What news change. It is stored whole or not at all. */
export interface MailOutcomeDecision {
  /** Undefined: it stays as it is, as does the standing. */
  readonly issuance: OtpIssuance | undefined
  readonly standing: SubjectStanding | undefined
  readonly events: readonly ChallengeEvent[]
}

/** What the mail system says: about a mail, or with a mail as the cause about the address that it went to. */
export type MailEvent =
  | MailReport
  | {
      readonly outcome: 'suppressed'
      readonly reason: Extract<SuppressionReason, 'unsubscribed' | 'refused'>
      readonly at: Date
    }

export const MailOutcome = {
  /**
   * What follows from the news; undefined if they are none. A hard bounce or a complaint takes the address out of use
   * as well, so that no code is promised to it any more. No news of a mail are older than the mail, whatever other clocks say.
   */
  record({ issuance, standing }: MailOutcome, told: MailEvent): MailOutcomeDecision | undefined {
    const news = { ...told, at: later(told.at, issuance.issuedAt) }
    const [reported, events] =
      news.outcome === 'suppressed' ? [issuance, []] : OtpIssuance.report(issuance, news)
    const reason = reasonToSuppress(news)
    const { recipient: address, challengeId, subjectUserId, id: issuanceId } = issuance
    const held = reason ? SubjectStanding.suppress(standing, { address, reason, at: news.at }) : standing
    if (reported === issuance && held === standing) return undefined

    if (reason && held !== standing && !SubjectStanding.isSuppressed(standing, address)) {
      events.push({
        type: 'address-suppressed',
        ...{ challengeId, subjectUserId, issuanceId, reason, at: news.at },
      })
    }
    return {
      issuance: reported === issuance ? undefined : reported,
      standing: held === standing ? undefined : held,
      events,
    }
  },
}

function reasonToSuppress(news: MailEvent): SuppressionReason | undefined {
  if (news.outcome === 'suppressed') return news.reason
  return news.outcome === 'bounced' && news.kind !== 'soft-bounce' ? news.kind : undefined
}
