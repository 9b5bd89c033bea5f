import { PrismaAuditTrail } from '../adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { ReviewChallenge } from '../application/challenges/review-challenge.ts'
import { openDatabase } from '../composition/open-database.ts'
import { loadConfig } from '../config/read-config.ts'
import { challengeReport, challengeText } from './challenge-report.ts'
import { type Output, print } from './terminal.ts'

/** Tells how a challenge stands and what happened to it. 1 if there is none of that id. */
export async function showChallenge(id: string, output: Output): Promise<number> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    process.stderr.write('The id of a challenge is a UUID, as in 0197a000-0000-7000-8000-0000000000c1\n')
    return 2
  }
  const config = loadConfig()
  const database = await openDatabase(config)
  const { prisma, statements, close } = connectPrisma({ url: database.url, onConnectionLost: () => {} })
  try {
    const review = new ReviewChallenge(
      new PrismaStepUps(statements),
      new PrismaAuditTrail(prisma),
      { now: () => new Date() },
      config.policy,
    )
    const report = challengeReport(await review.execute(id.toLowerCase()), config.policy)
    print(report, challengeText(report), output)
    return 0
  } finally {
    await close()
    await database.stop()
  }
}
