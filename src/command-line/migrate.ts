import { migrateDatabase } from '../adapters/persistence-prisma/connection/migrate-deploy.ts'
import { openDatabase } from '../composition/open-database.ts'
import { loadDatabaseLocation } from '../config/read-config.ts'
import { type Output, print } from './terminal.ts'

/** Applies pending migrations. Creates the database first if it does not exist. */
export async function migrate(output: Output): Promise<number> {
  const database = await openDatabase(loadDatabaseLocation())
  try {
    const applied = await migrateDatabase(database.url)
    const text = applied.length > 0 ? applied.map((name) => `applied ${name}`).join('\n') : 'nothing to apply'
    print({ applied }, text, output)
    return 0
  } finally {
    await database.stop()
  }
}
