import { setTimeout as wait } from 'node:timers/promises'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaRetention } from '../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PurgeChallenges } from '../../src/application/retention/purge-challenges.ts'

/* Runs one purge at the service's pace. Prints what it deleted, and how long a batch held its locks at most. */

/** Both, so that a purge deletes events as well. */
const RETENTION_IN_DAYS = 90
const PAUSE_IN_MS = 100

const { prisma, close } = connectPrisma({ url: process.env.DATABASE_URL!, onConnectionLost: () => {} })
const purging = new PurgeChallenges(
  new PrismaRetention(prisma),
  { now: () => new Date() },
  { challengesInDays: RETENTION_IN_DAYS, trailInDays: RETENTION_IN_DAYS },
).execute()

// Warm up, like a process that has run for a while.
await prisma.$transaction((transaction) => transaction.$queryRaw`SELECT 1`)
const batches: number[] = []
let purged = { challenges: 0, events: 0 }
const startedAt = performance.now()
for (;;) {
  const begunAt = performance.now()
  const { done, value } = await purging.next()
  if (done) break
  batches.push(performance.now() - begunAt)
  purged = value
  await wait(PAUSE_IN_MS)
}
const seconds = (performance.now() - startedAt) / 1000
await close()
process.stdout.write(JSON.stringify({ ...purged, seconds, batches }))
