import { PrismaPg } from '@prisma/adapter-pg'
import { parseIntoClientConfig } from 'pg-connection-string'

export type ConnectionSettings = ReturnType<typeof parseIntoClientConfig>

/** A failure with an error code of the Prisma CLI. After P1003, a missing database, the CLI creates the database. */
class DatabaseError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A server that does not answer in this time counts as unavailable. pg would wait for ever. */
const CONNECT_TIMEOUT_IN_MS = 10_000

/** Prisma's codes for the SQLSTATEs of a refused connection. */
const CODES: Readonly<Record<string, string>> = { '28P01': 'P1000', '28000': 'P1000', '3D000': 'P1003' }

/** `duplicate_database`, or `unique_violation` if two processes create the database at the same time. */
const ALREADY_THERE = ['42P04', '23505']

/**
 * Parses the URL, because adapter-pg opens a shadow database by its name, and a connection string would override the name.
 *
 * @throws {DatabaseError} whose message does not repeat the URL, which holds a password.
 */
export function connectionSettings(url: string | undefined): ConnectionSettings {
  if (!url || !URL.canParse(url)) {
    throw new DatabaseError('P1013', 'The database URL must be postgresql://user:password@host:5432/database')
  }
  // `schema` is Prisma's own parameter. The service ignores it, and would look for its tables in another schema.
  if ((new URL(url).searchParams.get('schema') ?? 'public') !== 'public') {
    throw new DatabaseError('P1013', 'The database URL must not have a `schema`: only `public` is supported')
  }
  return { ...parseIntoClientConfig(url), connectionTimeoutMillis: CONNECT_TIMEOUT_IN_MS }
}

/** @throws {DatabaseError} with the reason if the database cannot be used. */
export async function checkConnection(settings: ConnectionSettings): Promise<void> {
  await run(settings, 'SELECT 1')
}

/** Creates the database if it does not exist. */
export async function createDatabase(settings: ConnectionSettings): Promise<void> {
  // Without a name in the URL, PostgreSQL uses the user's name.
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

/** If a name has several addresses, Node's own error has no message. The errors of the attempts have. */
function reason(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(reason).join(', ') : (error as Error).message
}
