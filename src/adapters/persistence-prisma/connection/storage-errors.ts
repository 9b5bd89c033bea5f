import { isDriverAdapterError } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { Prisma } from '../generated/client.ts'

/** What the driver adapter makes of an error of the server or of the way to it. */
interface DriverCause {
  readonly kind: string
  /** The SQLSTATE, where the server spoke. */
  readonly originalCode?: string
}

const UNREACHABLE = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
])
/**
 * SQLSTATEs of a server that is not to blame for the statement (PostgreSQL manual, appendix A): connections (08), a
 * deadlock or lost serialisation (40), resources (53), operators and time-outs (57), a standby, a transaction that stood still
 * or a failing disk (25006, 25P03, 58).
 */
const PASSING = /^(?:08|40|53|57|58)|^25(?:006|P03)$/
/** Time-outs of a transaction that found no connection, or held one for too long. */
const PASSING_PRISMA_CODES = new Set(['P2024', 'P2028', 'P2034'])

/** As in ECONNREFUSED, EHOSTUNREACH, ENOTFOUND and EAI_AGAIN. */
const SYSTEM_ERROR = /^E[A-Z_]+$/

/** Passes on what a query gives, and its errors without what it was asked with: parameters are personal data. */
export async function translateStorageErrors<Result>(query: PromiseLike<Result>): Promise<Result> {
  try {
    return await query
  } catch (error) {
    throw withoutValues(error)
  }
}

/** The error as others may see it. */
export function withoutValues(error: unknown): unknown {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const cause = causeOf(error)
    const reason = [error.code, cause?.kind, cause?.originalCode].filter(Boolean).join(' ')
    if (cause?.kind === 'DatabaseDoesNotExist') return new DatabaseMissing(reason)
    const passing = PASSING_PRISMA_CODES.has(error.code) || (cause && isPassing(cause))
    return passing ? new StorageUnavailable(reason) : new StorageFault(reason)
  }
  // Of the COMMIT of a transaction, which the Prisma client passes on as the adapter has it.
  if (error instanceof Error && isDriverAdapterError(error)) {
    const cause: DriverCause = error.cause
    const reason = [cause.kind, cause.originalCode].filter(Boolean).join(' ')
    return isPassing(cause) ? new StorageUnavailable(reason) : new StorageFault(reason)
  }
  if (error instanceof pg.DatabaseError) {
    const { code = '' } = error
    return PASSING.test(code) ? new StorageUnavailable(code) : new StorageFault(code)
  }
  if (error instanceof Error) {
    // Of the way to the server: a system call's error, or one of node-postgres, which has neither a class nor a code.
    const { code } = error as NodeJS.ErrnoException
    if (SYSTEM_ERROR.test(code ?? '')) return new StorageUnavailable(code!)
    if (/timeout|terminated|not queryable|ECONN|EPIPE/i.test(error.message))
      return new StorageUnavailable(error.message)
  }
  return error
}

function isPassing({ kind, originalCode = '' }: DriverCause): boolean {
  return UNREACHABLE.has(kind) || PASSING.test(originalCode)
}

function causeOf({ meta }: Prisma.PrismaClientKnownRequestError): DriverCause | undefined {
  const adapterError = meta?.driverAdapterError as { readonly cause?: DriverCause } | undefined
  return adapterError?.cause
}

/** A statement that the database refuses: a defect, or a schema of another version. */
class StorageFault extends Error {}

/** The server answers, and has no database of that name. */
export class DatabaseMissing extends StorageFault {}
