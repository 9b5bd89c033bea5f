import { pino } from 'pino'
import { RetentionCron } from '../../src/adapters/jobs-cron/retention-cron.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaRetention } from '../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PurgeChallenges } from '../../src/application/retention/purge-challenges.ts'

/* The retention job at its own pace, but every second instead of every ten minutes. */

/** Both, so that a purge deletes events as well. */
const RETENTION_IN_DAYS = 90

const { prisma } = connectPrisma({ url: process.env.DATABASE_URL!, onConnectionLost: () => {} })
const purgeChallenges = new PurgeChallenges(
  new PrismaRetention(prisma),
  { now: () => new Date() },
  { challengesInDays: RETENTION_IN_DAYS, trailInDays: RETENTION_IN_DAYS },
)
new RetentionCron(purgeChallenges, pino(), { schedule: '* * * * * *' }).start()
