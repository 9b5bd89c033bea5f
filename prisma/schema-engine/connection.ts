import { PrismaPg } from '@prisma/adapter-pg'
import { parseIntoClientConfig } from 'pg-connection-string'

export type ConnectionSettings = ReturnType<typeof parseIntoClientConfig>

/** A failure with the error code of the Prisma CLI. After P1003, a missing database, the CLI creates the database. */
class DatabaseError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A server that does not answer within this time counts as unreachable. Without it, pg waits for ever. */
const CONNECT_TIMEOUT_IN_MS = 10_000

/** Prisma's codes for the SQLSTATEs with which a server refuses a connection. */
const CODES: Readonly<Record<string, string>> = { '28P01': 'P1000', '28000': 'P1000', '3D000': 'P1003' }

/** `duplicate_database`, or `unique_violation`, which the later of two processes may get instead. */
const ALREADY_THERE = ['42P04', '23505']

/**
 * Parses the URL, because adapter-pg opens a shadow database by its name, and a connection string would override that name.
 *
 * @throws {DatabaseError} Its message contains no part of the URL, because the URL contains a password.
 */
export function connectionSettings(url: string | undefined): ConnectionSettings {
  if (!url || !URL.canParse(url)) {
    throw new DatabaseError('P1013', 'The database URL must be postgresql://user:password@host:5432/database')
  }
  // Only Prisma knows this parameter. The service would look for its tables in another schema.
  if ((new URL(url).searchParams.get('schema') ?? 'public') !== 'public') {
    throw new DatabaseError('P1013', 'The database URL must not have a `schema`: only `public` is supported')
  }
  return { ...parseIntoClientConfig(url), connectionTimeoutMillis: CONNECT_TIMEOUT_IN_MS }
}

/** @throws {DatabaseError} with the reason if the database cannot be used. */
export async function checkConnection(settings: ConnectionSettings): Promise<void> {
  await run(settings, 'SELECT 1')
}

/** Creates the database unless it exists. */
export async function createDatabase(settings: ConnectionSettings): Promise<void> {
  // Without a name in the URL it is the user's name, which is PostgreSQL's default.
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

/** For a host with several addresses, Node's error has no message of its own; the errors of the attempts do. */
function reason(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(reason).join(', ') : (error as Error).message
}
