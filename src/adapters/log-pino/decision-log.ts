import type { Logger } from 'pino'
import type { CommitListener } from '../../application/ports/commit-listener.ts'

/** Logs one line for each decision about a challenge. The deliverer logs the outcome of each mail. */
export function decisionLog(logger: Logger): CommitListener {
  return ({ challenge, events, provenance: { requestId, actor } }) => {
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
