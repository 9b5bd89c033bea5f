import { isDriverAdapterError } from '@prisma/driver-adapter-utils'
import { Prisma } from '../generated/client.ts'
import { DATABASE_REMEDIES as REMEDIES } from './database-remedies.ts'
import { causeOf } from './storage-errors.ts'

/** Why the database cannot be used. Contains no part of the URL, and no message of the server, which may quote a query. */
export interface ConnectionFailure {
  /** What the database does, as in "refuses connections (28P01)". */
  readonly problem: string
  readonly remedy: string
}

type Row = readonly [pattern: RegExp, problem: string, remedy: string | ((message: string) => string)]

/*
 * The patterns are for the code and the message of an error. PgBouncer before 1.21 gives the code 08P01 to all its errors, so only the
 * message tells them apart. The first row that matches counts.
 */
const POOLER: readonly Row[] = [
  [/unsupported startup parameter/, 'refuses connections', (message) => startupParameters(message)],
  // "for user" is the server's wording, which PgBouncer passes on.
  [
    /server login|server_login_retry|cannot connect to server|^08P01 .*authentication failed for user/,
    'cannot be reached',
    REMEDIES.poolerServer,
  ],
  [/no such database/, 'refuses connections', REMEDIES.poolerDatabase],
  [/^08P01 .*(?:authentication failed|no such user)/, 'refuses connections', REMEDIES.credentials],
  [/no more connections allowed/, 'refuses connections', REMEDIES.poolerConnections],
  [/query_wait_timeout/, 'has no free connection', REMEDIES.poolSize],
  [/transaction blocks not allowed/, 'refuses transactions', REMEDIES.poolMode],
]
const SERVER: readonly Row[] = [
  [/^28/, 'refuses connections', REMEDIES.credentials],
  [/^3D000/, 'refuses connections', REMEDIES.missingDatabase],
  [/^42501 .*permission denied for database/, 'refuses connections', REMEDIES.connectPrivilege],
  [/^53300/, 'refuses connections', REMEDIES.maxConnections],
  [/^57P03/, 'refuses connections', REMEDIES.starting],
  [/^08P01/, 'refuses connections', REMEDIES.log],
  [/^(?:57P01|57P02)/, 'breaks off connections', REMEDIES.log],
  [/^57014/, 'does not answer', REMEDIES.log],
  [/^25006/, 'is read-only', REMEDIES.standby],
]
const NETWORK: readonly Row[] = [
  [/^ECONNREFUSED/, 'refuses connections', REMEDIES.unreachable],
  [/^(?:ENOTFOUND|EAI_AGAIN)/, 'has no address', REMEDIES.hostName],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)/, 'cannot be reached', REMEDIES.unreachable],
  [/^(?:ECONNRESET|EPIPE)|terminated unexpectedly/, 'breaks off connections', REMEDIES.log],
  [/not support SSL/, 'refuses encryption', REMEDIES.noEncryption],
  [/^\S*(?:CERT|SIGNATURE)|^ERR_TLS/, 'has a certificate that is not trusted', REMEDIES.untrusted],
  // What node-postgres says if all connections of this process are in use.
  [/exceeded when trying to connect/, 'has no free connection', REMEDIES.log],
  [/timeout|timed out|ETIMEDOUT/i, 'does not answer', REMEDIES.unreachable],
]
const FAILURES: readonly Row[] = [...POOLER, ...SERVER, ...NETWORK]

/** Names the failure behind an error of node-postgres or Prisma. */
export function connectionFailure(error: unknown): ConnectionFailure {
  const { code, message } = detailsOf(error)
  const row = FAILURES.find(([pattern]) => pattern.test(`${code} ${message}`))
  const known = code === '' ? '' : ` (${code})`
  if (!row) return { problem: `refuses a query${known}`, remedy: REMEDIES.log }
  const [, problem, remedy] = row
  return { problem: `${problem}${known}`, remedy: typeof remedy === 'string' ? remedy : remedy(message) }
}

/** The code, which may be empty, and the message for the patterns alone. */
function detailsOf(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError) return detailsOf(error.errors[0])
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const { kind = '', originalCode = '', originalMessage = '' } = causeOf(error) ?? {}
    return { code: originalCode, message: `${kind} ${originalMessage}` }
  }
  if (error instanceof Error && isDriverAdapterError(error)) {
    const { originalCode = '', originalMessage = '' } = error.cause
    return { code: originalCode, message: originalMessage }
  }
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return { code, message }
}

/** A pooler names one parameter that it refuses. The next attempt would show the next one, so the remedy names all. */
function startupParameters(message: string): string {
  const refused = /parameter: (\w+)/.exec(message)?.[1]
  return REMEDIES.startupParameters([...new Set([...STARTUP_PARAMETERS, ...(refused ? [refused] : [])])])
}

/** What the service sets at the start of a connection, and PgBouncer does not know. */
export const STARTUP_PARAMETERS = [
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'lock_timeout',
] as const
