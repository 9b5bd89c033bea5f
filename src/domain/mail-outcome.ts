import type { ChallengeEvent, SuppressionReason } from './domain-event.ts'
import { later } from './instant.ts'
import { type MailReport, OtpIssuance } from './otp-issuance.ts'
import { SubjectStanding } from './subject-standing.ts'

/** What a mail event can change: the issuance, and the standing of its subject, both read at one instant. */
export interface MailOutcome {
  readonly issuance: OtpIssuance
  readonly standing: SubjectStanding
}

/** What a mail event changes. It is stored whole or not at all. */
export interface MailOutcomeDecision {
  /** Undefined if it stays as it is. The same holds for the standing. */
  readonly issuance: OtpIssuance | undefined
  readonly standing: SubjectStanding | undefined
  readonly events: readonly ChallengeEvent[]
}

/** What the mail system reports: about a mail, or about the address that the mail went to. */
export type MailEvent =
  | MailReport
  | {
      readonly outcome: 'suppressed'
      readonly reason: Extract<SuppressionReason, 'unsubscribed' | 'refused'>
      readonly at: Date
    }

export const MailOutcome = {
  /**
   * What follows from the event; undefined if it says nothing new. A hard bounce or a complaint also suppresses the address,
   * so that no further code is issued to it. An event is never dated before its mail, even if another clock says so.
   */
  record({ issuance, standing }: MailOutcome, received: MailEvent): MailOutcomeDecision | undefined {
    const event = { ...received, at: later(received.at, issuance.issuedAt) }
    const [reported, events] =
      event.outcome === 'suppressed' ? [issuance, []] : OtpIssuance.report(issuance, event)
    const reason = reasonToSuppress(event)
    const { recipient: address, challengeId, subjectUserId, id: issuanceId } = issuance
    const held = reason ? SubjectStanding.suppress(standing, { address, reason, at: event.at }) : standing
    if (reported === issuance && held === standing) return undefined

    if (reason && held !== standing && !SubjectStanding.isSuppressed(standing, address)) {
      events.push({
        type: 'address-suppressed',
        ...{ challengeId, subjectUserId, issuanceId, reason, at: event.at },
      })
    }
    return {
      issuance: reported === issuance ? undefined : reported,
      standing: held === standing ? undefined : held,
      events,
    }
  },
}

function reasonToSuppress(event: MailEvent): SuppressionReason | undefined {
  if (event.outcome === 'suppressed') return event.reason
  return event.outcome === 'bounced' && event.kind !== 'soft-bounce' ? event.kind : undefined
}
