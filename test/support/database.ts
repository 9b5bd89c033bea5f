import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A database of its own for one test file, with every migration applied. */
export interface TestDatabase {
  readonly url: string
}

/**
 * Copies the template that `test/run.ts` made. The copy ends with the server: to drop it here would cut off connections
 * that are still on their way out.
 *
 * @throws {Error} when the tests are not run through it.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = missingDatabaseUrl()
  const name = new URL(url).pathname.slice(1)
  await query(serverUrl(), `CREATE DATABASE ${name} TEMPLATE ${setting('TEST_DATABASE_TEMPLATE')}`)
  return { url }
}

/** The server's own database, to ask about others in. */
export function serverUrl(): string {
  return setting('TEST_DATABASE_SERVER')
}

/** Names a database that is not there, on the same server. */
export function missingDatabaseUrl(): string {
  const url = new URL(serverUrl())
  url.pathname = `test_${randomUUID().replaceAll('-', '')}`
  return url.href
}

/** Runs statements one after the other and gives back the rows of the last. */
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
