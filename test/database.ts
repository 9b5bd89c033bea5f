import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A database of its own for one test file, with every migration applied. */
export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** Copies the template that `test/run.ts` made. @throws {Error} when the tests are not run through it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { TEST_DATABASE_SERVER: server, TEST_DATABASE_TEMPLATE: template } = process.env
  if (!server || !template)
    throw new Error('This test needs a database: run it with `node test/run.ts <file>`')

  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(server, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
