import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A database of its own for one test file, with every migration applied. */
export interface TestDatabase {
  readonly url: string
  /** Whether its tables are on one server, or on those of a Citus: the value of `DATABASE_SHARDING` for it. */
  readonly sharding: 'none' | 'citus'
}

/**
 * Copies the template that `test/run.ts` made. The server removes the copy when it ends: dropping it earlier would break
 * connections that are still closing. On a Citus (`npm run citus:prove`), each server has a part of the template.
 *
 * @throws {Error} if the test does not run through `test/run.ts`.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = missingDatabaseUrl()
  const name = new URL(url).pathname.slice(1)
  const workers = process.env.TEST_DATABASE_WORKERS?.split(' ')
  const copy = `CREATE DATABASE ${name} TEMPLATE ${setting('TEST_DATABASE_TEMPLATE')}`
  const copies = [serverUrl(), ...(workers ?? [])].map(async (server) => {
    await query(server, copy)
    if (workers) await query(server, `ALTER DATABASE ${name} SET citus.log_remote_commands = on`)
  })
  await Promise.all(copies)
  return { url, sharding: workers ? 'citus' : 'none' }
}

/**
 * The same, where a row without a bucket is refused. Elsewhere a trigger fills it, for the version before and for rows that a test inserts
 * itself. Citus refuses such a row by itself.
 */
export async function createBucketedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  if (database.sharding === 'citus') return database
  const refusing = ['user', 'subject', 'challenge', 'challenge_id'].map(
    (source) => `CREATE OR REPLACE FUNCTION fill_bucket_of_${source}() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'a row of % has no bucket', TG_TABLE_NAME; END $$`,
  )
  await query(database.url, ...refusing)
  return database
}

/** The server's own database, for queries about the others. */
export function serverUrl(): string {
  return setting('TEST_DATABASE_SERVER')
}

/** The URL of a database that does not exist, on the same server. */
export function missingDatabaseUrl(): string {
  const url = new URL(serverUrl())
  url.pathname = `${process.env.TEST_DATABASE_PREFIX ?? 'test_'}${randomUUID().replaceAll('-', '')}`
  return url.href
}

/** Runs statements in order and returns the rows of the last one. */
export async function query(url: string, ...statements: string[]): Promise<object[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: object[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

function setting(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error('This test needs a database: run it with npm test -- <file>')
  return value
}
