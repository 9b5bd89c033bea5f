import { ReviewChallenge } from '../application/challenges/review-challenge.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadConfig } from '../config/read-config.ts'
import { ChallengeNotFound } from '../domain/challenge.ts'
import { challengeReport, challengeText, purgedReport, purgedText } from './challenge-report.ts'
import { type Output, print } from './terminal.ts'

/** Shows the state of a challenge and its audit trail, which outlives it. */
export async function showChallenge(id: string, output: Output): Promise<number> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    process.stderr.write('The id of a challenge is a UUID, as in 0197a000-0000-7000-8000-0000000000c1\n')
    return 2
  }
  const config = loadConfig()
  return withStorage(config, async ({ stepUps, trail, clock }) => {
    const review = new ReviewChallenge(stepUps, trail, clock, config.policy)
    const challengeId = id.toLowerCase()
    try {
      const report = challengeReport(await review.execute(challengeId), config.policy)
      print(report, challengeText(report), output)
    } catch (error) {
      const [first, ...others] = error instanceof ChallengeNotFound ? await trail.eventsOf(challengeId) : []
      if (!first) throw error
      const report = purgedReport(challengeId, [first, ...others])
      print(report, purgedText(report), output)
    }
    return 0
  })
}
