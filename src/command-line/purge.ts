import { connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaRetention } from '../adapters/persistence-prisma/retention/prisma-retention.ts'
import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { openDatabase } from '../composition/open-database.ts'
import { loadConfig } from '../config/read-config.ts'
import { type Output, print } from './terminal.ts'

/** Deletes what is past RETENTION_DAYS now, without waiting for the schedule of the service. What it did before it failed stands. */
export async function purge(output: Output): Promise<number> {
  const config = loadConfig()
  const database = await openDatabase(config)
  const { prisma, close } = connectPrisma({ url: database.url, onConnectionLost: () => {} })
  let purged = { challenges: 0, events: 0 }
  try {
    const purgeChallenges = new PurgeChallenges(
      new PrismaRetention(prisma),
      { now: () => new Date() },
      config.retentionInDays,
    )
    for await (purged of purgeChallenges.execute());
    return 0
  } finally {
    print(purged, `${purged.challenges} challenges and ${purged.events} events deleted`, output)
    await close()
    await database.stop()
  }
}
