import type { Logger } from 'pino'
import type { CommitListener } from '../../application/ports/commit-listener.ts'
import { isForgery } from '../../domain/domain-event.ts'

/**
 * Logs one line for each decision about a challenge, and an error for each forgery that the service found. The deliverer logs
 * the outcome of each mail.
 */
export function decisionLog(logger: Logger): CommitListener {
  return ({ challenge, events, provenance: { requestId, actor } }) => {
    for (const event of events.filter(isForgery)) {
      const { type, reason, challengeId, subjectUserId: subject } = event
      logger.error({ requestId, caller: actor, subject, challengeId, event: type, reason }, 'forged row')
    }
    if (!challenge) return
    const { id, subjectUserId, status, attemptsRemaining } = challenge
    logger.info(
      {
        requestId,
        caller: actor,
        subject: subjectUserId,
        challengeId: id,
        events: events.map((event) => ('reason' in event ? `${event.type} (${event.reason})` : event.type)),
        status,
        attemptsRemaining,
      },
      'decision',
    )
  }
}
