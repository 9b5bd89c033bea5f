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
