import pg from 'pg'

/** read_only_sql_transaction */
export const READ_ONLY = '25006'

/** What a server reports of a session at its start, and whenever it changes: whether the session can write (PostgreSQL manual, 55.2.7). */
const REPORTED: ReadonlySet<string> = new Set(['in_hot_standby', 'default_transaction_read_only'])

interface Report {
  readonly parameterName: string
  readonly parameterValue: string
}

/** What node-postgres sends at the start of a connection. Its types do not declare it. */
interface StartsConnections {
  getStartupConf(): Record<string, string>
}

const startupOf = (pg.Client.prototype as unknown as StartsConnections).getStartupConf

/**
 * The connection of every pool. It starts its session in UTC, because Prisma's adapter writes a time without its zone, and drops the
 * zone of a time that it reads (prisma/orm, issues 26786 and 28629). A server otherwise has the zone of the machine that it was set up
 * on. PgBouncer passes this parameter on, and keeps it for each client in transaction mode too.
 *
 * It also knows whether its session can write, without asking. A pooler in between may keep the reports of the server to itself. Then
 * the session shows it by refusing a write.
 */
export class SessionClient extends pg.Client implements StartsConnections {
  readonly #reported = new Set<string>()
  #refusedWrite = false

  constructor(config?: pg.ClientConfig) {
    super(config)
    // The types of node-postgres do not declare it.
    const { connection } = this as unknown as { readonly connection: NodeJS.EventEmitter }
    connection.on('parameterStatus', ({ parameterName, parameterValue }: Report) => {
      if (!REPORTED.has(parameterName)) return
      if (parameterValue === 'on') this.#reported.add(parameterName)
      else this.#reported.delete(parameterName)
    })
    connection.on('errorMessage', ({ code }: pg.DatabaseError) => {
      if (code === READ_ONLY) this.#refusedWrite = true
    })
  }

  getStartupConf(): Record<string, string> {
    return { ...startupOf.call(this as unknown as StartsConnections), TimeZone: 'UTC' }
  }

  get isReadOnly(): boolean {
    return this.#refusedWrite || this.#reported.size > 0
  }
}

/**
 * Keeps sessions that cannot write out of a pool, as libpq does with `target_session_attrs=read-write`. A standby would answer
 * reads, perhaps from the past, and a former primary may not know yet that another one decides.
 */
export function refusalOfReadOnly(client: pg.PoolClient): pg.DatabaseError | undefined {
  return isReadOnly(client) ? refusal() : undefined
}

/** Ends a session that has turned out to be read-only, when it is given back. The pool then forgets it. */
export function endReadOnly(_error: unknown, client: pg.PoolClient): void {
  if (isReadOnly(client)) void (client as unknown as pg.Client).end()
}

function isReadOnly(client: pg.PoolClient): boolean {
  return client instanceof SessionClient && client.isReadOnly
}

/** As the server would say it. */
function refusal(): pg.DatabaseError {
  const error = new pg.DatabaseError('the session is read-only', 0, 'error')
  return Object.assign(error, { severity: 'FATAL', code: READ_ONLY })
}
