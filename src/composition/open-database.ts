import { join } from 'node:path'
import type { DatabaseLocation } from '../config/read-config.ts'

export interface Database {
  readonly url: string
  stop(): Promise<void>
}

/** Loads what starts the embedded database, and nothing else. */
export function loadEmbeddedPostgres() {
  return import('../development/postgres/embedded-postgres.ts')
}

/**
 * Opens the configured database, which its operator migrates. Without one, loads, starts and migrates the embedded database of
 * development.
 */
export async function openDatabase({ databaseUrl, dataDir }: DatabaseLocation): Promise<Database> {
  if (databaseUrl) return { url: databaseUrl, stop: async () => {} }

  const { startEmbeddedPostgres } = await loadEmbeddedPostgres()
  const database = await startEmbeddedPostgres({ folder: join(dataDir, 'postgres'), keepRunning: true })
  // Loaded after the start of the database, because the service is being loaded meanwhile and contains this module.
  const { migrateDatabase } = await import('../adapters/persistence-prisma/connection/migrate-deploy.ts')
  try {
    await migrateDatabase(database.url)
    return database
  } catch (error) {
    await database.stop()
    throw error
  }
}
