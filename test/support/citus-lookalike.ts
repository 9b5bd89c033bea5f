import { readFile } from 'node:fs/promises'
import { createTestDatabase, query, type TestDatabase } from './database.ts'

/** What `deploy/citus` calls of Citus. Here it has no effect, so that one PostgreSQL has all tables, keys and functions of a cluster. */
const CALLS_OF_CITUS = `
  CREATE FUNCTION create_reference_table(text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_table(text, text, colocate_with text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_function(text, text, colocate_with text) RETURNS void LANGUAGE sql AS '';`

/** A database in which the service runs as it does on Citus, without Citus. It is on one server: what its plans say there counts. */
export async function createCitusLookalike(): Promise<TestDatabase> {
  const { url } = await createTestDatabase()
  const files = await Promise.all(
    ['distribute.sql', 'functions.sql', 'decisions.sql'].map((file) =>
      readFile(new URL(`../../deploy/citus/${file}`, import.meta.url), 'utf8'),
    ),
  )
  await query(url, CALLS_OF_CITUS, ...files)
  return { url, sharding: 'citus' }
}
