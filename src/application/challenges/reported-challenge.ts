import { secondsAfter } from '../../domain/instant.ts'
import type { ReportedMail, ReportLinks } from '../ports/report-links.ts'
import type { ReportableChallenges } from '../ports/reportable-challenges.ts'

/** The mail that a token came in, and the challenge that the mail is about. */
interface ReportedChallenge {
  readonly mail: ReportedMail
  readonly challengeId: string
}

/**
 * Undefined if the token is not ours, or if the mail's challenge is past retention. @throws {StorageUnavailable}
 */
export async function reportedChallenge(
  links: Pick<ReportLinks, 'mailOf'>,
  challenges: Pick<ReportableChallenges, 'challengeOf'>,
  token: string,
): Promise<ReportedChallenge | undefined> {
  const mail = links.mailOf(token)
  if (!mail) return undefined
  const challengeId = mail.kind === 'otp' ? await challenges.challengeOf(mail.issuanceId) : mail.challengeId
  return challengeId === undefined ? undefined : { mail, challengeId }
}

/**
 * How long after its operation was asked for a mail can end others. Who holds a mail of the last day reads the mailbox, and can
 * report each other challenge by its own mail. Older mails lie in archives and backups: without a limit, many of them could one after
 * the other end whatever their user begins.
 */
const MAIL_ENDS_OTHERS_WITHIN_SECONDS = 86_400

/** Whether a report at `reportedAt` may end the user's other live challenges too. */
export function mayEndOthers({ createdAt }: { readonly createdAt: Date }, reportedAt: Date): boolean {
  return reportedAt < secondsAfter(createdAt, MAIL_ENDS_OTHERS_WITHIN_SECONDS)
}
