import { ReviewChallenge } from '../application/challenges/review-challenge.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadConfig } from '../config/read-config.ts'
import { challengeReport, challengeText } from './challenge-report.ts'
import { type Output, print } from './terminal.ts'

/** Shows the state of a challenge and its audit trail. */
export async function showChallenge(id: string, output: Output): Promise<number> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    process.stderr.write('The id of a challenge is a UUID, as in 0197a000-0000-7000-8000-0000000000c1\n')
    return 2
  }
  const config = loadConfig()
  return withStorage(config, async ({ stepUps, trail, clock }) => {
    const review = new ReviewChallenge(stepUps, trail, clock, config.policy)
    const report = challengeReport(await review.execute(id.toLowerCase()), config.policy)
    print(report, challengeText(report), output)
    return 0
  })
}
