import { PrismaPg } from '@prisma/adapter-pg'
import { parseIntoClientConfig } from 'pg-connection-string'

export type ConnectionSettings = ReturnType<typeof parseIntoClientConfig>

/** A failure with the code by which the Prisma CLI knows it. P1003, a missing database, it answers by creating it. */
class DatabaseError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A server that has not answered by then counts as away; pg would wait for ever. */
const CONNECT_TIMEOUT_IN_MS = 10_000

/** The codes of Prisma for the SQLSTATEs that a server refuses a connection with. */
const CODES: Readonly<Record<string, string>> = { '28P01': 'P1000', '28000': 'P1000', '3D000': 'P1003' }

/** `duplicate_database`, and the `unique_violation` that the later of two processes may get instead. */
const ALREADY_THERE = ['42P04', '23505']

/**
 * Parsed, since adapter-pg opens a shadow database by its name, which a connection string would overrule.
 *
 * @throws {DatabaseError} whose message has nothing of the URL: there is a password in it.
 */
export function connectionSettings(url: string | undefined): ConnectionSettings {
  if (!url || !URL.canParse(url)) {
    throw new DatabaseError(
      'P1013',
      'The database URL has to be postgresql://user:password@host:5432/database',
    )
  }
  // A parameter of Prisma's own that the service does not know: it would look for its tables elsewhere.
  if ((new URL(url).searchParams.get('schema') ?? 'public') !== 'public') {
    throw new DatabaseError('P1013', 'The database URL must not have a `schema`: only `public` is supported')
  }
  return { ...parseIntoClientConfig(url), connectionTimeoutMillis: CONNECT_TIMEOUT_IN_MS }
}

/** @throws {DatabaseError} if the database cannot be used, saying why. */
export async function checkConnection(settings: ConnectionSettings): Promise<void> {
  await run(settings, 'SELECT 1')
}

/** Creates the database unless it is there by now. */
export async function createDatabase(settings: ConnectionSettings): Promise<void> {
  // Without a name in the URL it is the user's, as everywhere with PostgreSQL.
  const name = `"${(settings.database ?? settings.user)?.replaceAll('"', '""')}"`
  try {
    await run({ ...settings, database: 'postgres' }, `CREATE DATABASE ${name} ENCODING 'UTF8'`)
  } catch (error) {
    if (!(error instanceof DatabaseError && ALREADY_THERE.includes(sqlState(error.cause)))) throw error
  }
}

async function run(settings: ConnectionSettings, statement: string): Promise<void> {
  const session = await new PrismaPg(settings).connect()
  try {
    await session.underlyingDriver().query(statement)
  } catch (error) {
    const server = `${settings.host || 'localhost'}:${settings.port ?? 5432}`
    const message = `The database server at ${server} cannot be used: ${reason(error)}`
    throw new DatabaseError(CODES[sqlState(error)] ?? 'P1001', message, { cause: error })
  } finally {
    await session.dispose()
  }
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Node's error of a name with several addresses says nothing itself: each attempt does. */
function reason(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(reason).join(', ') : (error as Error).message
}
