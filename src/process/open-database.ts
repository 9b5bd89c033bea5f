import { join } from 'node:path'
import type { DatabaseLocation } from '../config/read-config.ts'
import { startEmbeddedPostgres } from '../development/postgres/embedded-postgres.ts'

export interface Database {
  readonly url: string
  stop(): Promise<void>
}

/** The configured database, which is migrated by whoever runs it; or the embedded one of development, brought up and migrated. */
export async function openDatabase({ databaseUrl, dataDir }: DatabaseLocation): Promise<Database> {
  if (databaseUrl) return { url: databaseUrl, stop: async () => {} }

  const database = await startEmbeddedPostgres({ folder: join(dataDir, 'postgres'), keepRunning: true })
  // Loaded by now, or nearly: whoever wants a database loads the service meanwhile, of which this is a part.
  const { migrateDatabase } = await import('../adapters/persistence-prisma/connection/migrate-deploy.ts')
  try {
    await migrateDatabase(database.url)
    return database
  } catch (error) {
    await database.stop()
    throw error
  }
}
