import { isDriverAdapterError } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { Prisma } from '../generated/client.ts'
import { READ_ONLY } from './session-client.ts'

/** How the driver adapter describes an error of the server or of the connection to it. */
interface DriverCause {
  readonly kind: string
  /** The SQLSTATE, if the error comes from the server. */
  readonly originalCode?: string
  readonly originalMessage?: string
}

const UNREACHABLE = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
])
/**
 * SQLSTATEs of transient errors, which the statement did not cause (PostgreSQL manual, appendix A):
 * - 08: connections; 40: a deadlock or lost serialisation; 53: resources; 57: operators and time-outs; 58: a failing disk
 * - 25006: a standby; 25P03: an idle transaction; 55P03: a lock that another session kept for too long
 */
const TRANSIENT = /^(?:08|40|53|57|58)|^25(?:006|P03)$|^55P03$/
/** Time-outs of a transaction that got no connection, or held one for too long. */
const TRANSIENT_PRISMA_CODES = new Set(['P2024', 'P2028', 'P2034'])

/** As in ECONNREFUSED, EHOSTUNREACH, ENOTFOUND and EAI_AGAIN. */
const SYSTEM_ERROR = /^E[A-Z_]+$/

/** Passes on the result of a query. Removes the parameters from its errors, because they are personal data. */
export async function translateStorageErrors<Result>(query: PromiseLike<Result>): Promise<Result> {
  try {
    return await query
  } catch (error) {
    throw withoutValues(error)
  }
}

/** The error without parameters, safe to log. */
function withoutValues(error: unknown): unknown {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const cause = causeOf(error)
    const reason = reasonOf(error.code, cause?.kind, cause?.originalCode)
    if (cause?.kind === 'DatabaseDoesNotExist') return new DatabaseMissing(reason)
    const transient = TRANSIENT_PRISMA_CODES.has(error.code) || (cause && isTransient(cause))
    return transient ? new StorageUnavailable(reason) : new StorageFault(reason)
  }
  // Prisma passes errors from COMMIT through without wrapping them.
  if (error instanceof Error && isDriverAdapterError(error)) {
    const cause: DriverCause = error.cause
    const reason = reasonOf(cause.kind, cause.originalCode)
    return isTransient(cause) ? new StorageUnavailable(reason) : new StorageFault(reason)
  }
  if (error instanceof pg.DatabaseError) {
    const { code = '' } = error
    return TRANSIENT.test(code) ? new StorageUnavailable(reasonOf(code)) : new StorageFault(code)
  }
  if (error instanceof Error) {
    // The connection failed: an error of a system call, or one of node-postgres, which has neither class nor code.
    const { code } = error as NodeJS.ErrnoException
    if (SYSTEM_ERROR.test(code ?? '')) return new StorageUnavailable(code!)
    if (/timeout|terminated|not queryable|ECONN|EPIPE/i.test(error.message))
      return new StorageUnavailable(error.message)
  }
  return error
}

/** The codes, and what the one means that operators meet after a fail-over. */
function reasonOf(...codes: readonly (string | undefined)[]): string {
  const known = codes.filter(Boolean).join(' ')
  return codes.includes(READ_ONLY) ? `the database is read-only (${known})` : known
}

function isTransient({ kind, originalCode = '' }: DriverCause): boolean {
  return UNREACHABLE.has(kind) || TRANSIENT.test(originalCode)
}

/** Undefined if the error does not come from the driver adapter. */
export function causeOf({ meta }: Prisma.PrismaClientKnownRequestError): DriverCause | undefined {
  const adapterError = meta?.driverAdapterError as { readonly cause?: DriverCause } | undefined
  return adapterError?.cause
}

/** The database refused a statement: a defect, or a schema of another version. */
export class StorageFault extends Error {}

/** The server answers, but has no database of that name. */
export class DatabaseMissing extends StorageFault {}
