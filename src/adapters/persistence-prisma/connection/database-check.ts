import type { TLSSocket } from 'node:tls'
import type pg from 'pg'
import type { Clock } from '../../../application/ports/clock.ts'
import { CheckResult, type DiagnosticCheck } from '../../../contracts/diagnostic-check.ts'
import { connectPrisma } from './connect-prisma.ts'
import { migrationState } from './database-health.ts'
import { withoutValues } from './storage-errors.ts'

export interface DatabaseCheckOptions {
  readonly url: string
  /** Production has stricter checks than a development set-up. */
  readonly production: boolean
  /** What to do about a reply of a mail system, as the audit trail has it. Undefined if it knows nothing. */
  readonly mailRemedyOf?: (reply: string) => string | undefined
}

const OLDEST_TESTED_MAJOR = 18
const OLDEST_MAJOR = 14
/** Each process compares deadlines to its own clock. */
const NOTABLE_CLOCK_DIFFERENCE_IN_MS = 1000
const GRAVE_CLOCK_DIFFERENCE_IN_MS = 30_000
const LATE_MAIL_IN_MS = 30_000

/** The privileges that the statements of this folder need. PostgreSQL cascades as the table's owner, which needs none. */
export const NEEDED_PRIVILEGES: Readonly<Record<string, readonly string[]>> = {
  users: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  subject_standings: ['SELECT', 'INSERT', 'UPDATE'],
  challenges: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  otp_issuances: ['SELECT', 'INSERT', 'UPDATE'],
  lock_notices: ['SELECT', 'INSERT', 'UPDATE'],
  challenge_events: ['SELECT', 'INSERT', 'DELETE'],
  _prisma_migrations: ['SELECT'],
}
const NEEDED_SEQUENCE = 'challenge_events_id_seq'

/** Checks the database over the same connections as the service. */
export class DatabaseCheck implements DiagnosticCheck {
  readonly name = 'database'
  readonly #options: DatabaseCheckOptions
  readonly #clock: Clock

  constructor(options: DatabaseCheckOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  async *run(): AsyncGenerator<CheckResult> {
    const connections = connectPrisma({ url: this.#options.url, onConnectionLost: () => {} })
    const { pool, prisma } = connections
    try {
      let client: pg.PoolClient
      try {
        client = await pool.connect()
      } catch (error) {
        yield unreachable(error)
        return
      }
      try {
        yield await checkServer(client)
        yield this.#checkEncryption(client)
        yield await this.#checkClock(client)
        yield* checkPooler(client, pool, connections.statements.prepares)
        const role = await this.#checkRole(client)
        yield role
        if (role.level === 'failed') return
      } finally {
        client.release()
      }
      const migrations = await migrationState(prisma)
      yield migrationsResult(migrations)
      if (migrations.pending.length > 0) return

      const now = this.#clock.now()
      yield outboxResult(await oldestWaitingMail(pool), now, this.#options.mailRemedyOf)
    } catch (error) {
      yield CheckResult.failed(
        'database',
        `a query failed (${(withoutValues(error) as Error).message})`,
        'See the log of the PostgreSQL server at this time',
      )
    } finally {
      await connections.close()
    }
  }

  #checkEncryption(client: pg.PoolClient): CheckResult {
    const name = 'database-tls'
    const { encrypted, authorized, remoteAddress } = socketOf(client)
    if (encrypted && authorized)
      return CheckResult.ok(name, 'the connection is encrypted, and the certificate of the server is valid')
    // A Unix socket has no address.
    if (!remoteAddress || /^(?:127\.|::1$|::ffff:127\.)/.test(remoteAddress)) {
      return CheckResult.ok(name, 'the connection stays on this machine')
    }
    return encrypted
      ? CheckResult.warning(
          name,
          'the connection is encrypted, but the service does not check the certificate of the server',
          'Add sslmode=verify-full to DATABASE_URL, and sslrootcert=<file> for a private authority',
        )
      : CheckResult.warning(
          name,
          'the connection is not encrypted',
          'Add sslmode=verify-full to DATABASE_URL, and sslrootcert=<file> for a private authority',
        )
  }

  async #checkClock(client: pg.PoolClient): Promise<CheckResult> {
    const name = 'clock'
    const before = this.#clock.now().getTime()
    const { rows } = await client.query<{ at: Date }>('SELECT clock_timestamp() AS at')
    const halfRoundTrip = (this.#clock.now().getTime() - before) / 2
    const difference = Math.round(rows[0]!.at.getTime() - (before + halfRoundTrip))
    const found = `the database's clock is ${Math.abs(difference)} ms ${difference < 0 ? 'behind' : 'ahead of'} this one's`

    // The two directions may take different times, so only this much of the difference is certain.
    const certain = Math.abs(difference) - halfRoundTrip
    const remedy =
      'Let a time service set the clocks of both machines (chrony, systemd-timesyncd): they decide when codes and challenges expire'
    if (certain >= GRAVE_CLOCK_DIFFERENCE_IN_MS) return CheckResult.failed(name, found, remedy)
    if (certain >= NOTABLE_CLOCK_DIFFERENCE_IN_MS) return CheckResult.warning(name, found, remedy)
    return CheckResult.ok(name, found)
  }

  async #checkRole(client: pg.PoolClient): Promise<CheckResult> {
    const name = 'database-role'
    const { rows } = await client.query<{ role: string; superuser: boolean }>(
      'SELECT quote_ident(rolname) AS role, rolsuper AS superuser FROM pg_roles WHERE rolname = current_user',
    )
    const { role, superuser } = rows[0]!
    const missing = await missingPrivileges(client)
    if (missing.length > 0) {
      const grants = missing.map(
        ({ privileges, object }) => `GRANT ${privileges.join(', ')} ON ${object} TO ${role};`,
      )
      return CheckResult.failed(
        name,
        `the role ${role} lacks privileges that the service needs`,
        grants.join(' '),
      )
    }
    if (superuser && this.#options.production) {
      return CheckResult.warning(
        name,
        `the role ${role} is a superuser: no rule of the database applies to it, not even the append-only rule of the audit trail`,
        'Give the service its own role that owns nothing, and use another role for countersign migrate',
      )
    }
    return CheckResult.ok(name, `the role ${role} has all privileges that the service needs`)
  }
}

async function checkServer(client: pg.PoolClient): Promise<CheckResult> {
  const startedAt = performance.now()
  const { rows } = await client.query<{ version: string; size: string }>(
    `SELECT current_setting('server_version_num') AS version, pg_size_pretty(pg_database_size(current_database())) AS size`,
  )
  const time = (performance.now() - startedAt).toFixed(1)
  const major = Math.floor(Number(rows[0]!.version) / 10_000)
  const found = `PostgreSQL ${major} answers in ${time} ms and holds ${rows[0]!.size}`
  return major < OLDEST_MAJOR
    ? CheckResult.warning(
        'database',
        found,
        `Upgrade to PostgreSQL ${OLDEST_TESTED_MAJOR}, with which the service is tested`,
      )
    : CheckResult.ok('database', found)
}

async function missingPrivileges(client: pg.PoolClient) {
  const needed = Object.entries(NEEDED_PRIVILEGES).flatMap(([object, privileges]) =>
    privileges.map((privilege) => ({ object, privilege })),
  )
  const { rows } = await client.query<{ object: string; privileges: string[] }>(
    `SELECT object, array_agg(privilege ORDER BY number) AS privileges
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS needed (object, privilege, number)
     WHERE NOT has_table_privilege(to_regclass(object), privilege)
     GROUP BY object
     UNION ALL
     SELECT 'SEQUENCE ' || $3::text, ARRAY['USAGE']
     WHERE NOT has_sequence_privilege(to_regclass($3::text), 'USAGE')`,
    [needed.map(({ object }) => object), needed.map(({ privilege }) => privilege), NEEDED_SEQUENCE],
  )
  return rows
}

/**
 * Detects a pooler: it invents the process id that a client receives at the start of its connection. In transaction mode
 * the process behind a connection changes while another connection keeps the first one busy.
 */
async function* checkPooler(
  client: pg.PoolClient,
  pool: pg.Pool,
  prepares: boolean,
): AsyncGenerator<CheckResult> {
  const name = 'pooler'
  // The name makes it a prepared statement, if the service prepares its own.
  const query = { ...(prepares && { name: 'doctor' }), text: 'SELECT pg_backend_pid() AS pid' }
  const ask = async () => (await client.query<{ pid: number }>(query)).rows[0]!.pid
  const pid = await ask()
  if ((client as pg.PoolClient & { readonly processID?: number }).processID === pid) {
    yield CheckResult.ok(name, 'connections go directly to the server')
    return
  }

  const other = await pool.connect()
  let later: number | undefined
  let prepared = true
  try {
    await other.query('BEGIN')
    await other.query('SELECT 1')
    later = await ask().catch((error: unknown) => {
      // invalid_sql_statement_name: the new process behind the connection has not prepared it.
      if (codeOf(error) !== '26000') throw error
      prepared = false
      return undefined
    })
  } finally {
    await other.query('ROLLBACK')
    other.release()
  }

  if (pid === later) {
    yield CheckResult.ok(name, 'connections go through a pooler that gives each a session of its own')
  } else if (prepared) {
    yield CheckResult.warning(
      name,
      prepares
        ? 'connections go through a pooler in transaction mode, which supports prepared statements'
        : 'connections go through a pooler in transaction mode, and nothing is prepared there (pgbouncer=true)',
      'Run countersign migrate with a DATABASE_URL of the server itself: it needs a lock for a whole session, which the pooler loses',
    )
  } else {
    yield CheckResult.failed(
      name,
      'connections go through a pooler in transaction mode, which does not support the prepared statements of the service',
      'Add pgbouncer=true to DATABASE_URL; or use PgBouncer 1.21 or later with max_prepared_statements = 200, or pool_mode = session',
    )
  }
  const { rows } = await client.query<{ timeout: string }>(
    `SELECT current_setting('statement_timeout') AS timeout`,
  )
  if (rows[0]!.timeout === '0') {
    yield CheckResult.warning(
      'statement-timeout',
      'the pooler does not pass on statement_timeout, so a statement may continue after the service has stopped waiting for it',
      "ALTER ROLE <the role of DATABASE_URL> SET statement_timeout = '5s'",
    )
  }
}

function migrationsResult({
  pending,
  failed,
  unknown,
}: Awaited<ReturnType<typeof migrationState>>): CheckResult {
  const name = 'migrations'
  if (failed.length > 0) {
    return CheckResult.failed(
      name,
      `broken off half way: ${failed.join(', ')}`,
      'Repair by hand what the migration left behind, then run npx prisma migrate resolve in a checkout',
    )
  }
  if (pending.length > 0)
    return CheckResult.failed(name, `pending: ${pending.join(', ')}`, 'countersign migrate')
  if (unknown.length > 0) {
    return CheckResult.warning(
      name,
      `applied by a newer version than this one: ${unknown.join(', ')}`,
      'Run that version here too, unless a roll-out is in progress',
    )
  }
  return CheckResult.ok(name, 'all are applied')
}

interface WaitingMails {
  readonly queued: number
  /** Null, like the rest, if no mail waits. */
  readonly issued_at: Date | null
  readonly due_at: Date | null
  readonly attempts: number | null
  /** The last reply to an attempt to send the oldest mail. Null if there was none. */
  readonly reply: string | null
}

/** How many mails wait, and the oldest of them. Reads only the index of queued rows, and the trail of one challenge. */
async function oldestWaitingMail(pool: pg.Pool): Promise<WaitingMails> {
  const { rows } = await pool.query<WaitingMails>(
    `WITH waiting AS (SELECT * FROM otp_issuances WHERE status = 'queued'),
       oldest AS (SELECT * FROM waiting ORDER BY issued_at, delivery_attempts DESC LIMIT 1)
     SELECT (SELECT count(*)::integer FROM waiting) AS queued,
       oldest.issued_at,
       (SELECT min(next_attempt_at) FROM waiting) AS due_at,
       oldest.delivery_attempts AS attempts,
       (SELECT details ->> 'reply'
        FROM challenge_events e
        WHERE e.challenge_id = oldest.challenge_id
          AND e.type = 'otp-deferred'
          AND e.details ->> 'issuanceId' = oldest.id::text
          AND e.details ->> 'reply' IS NOT NULL
        ORDER BY e.id DESC
        LIMIT 1) AS reply
     FROM (SELECT 1) AS one LEFT JOIN oldest ON true`,
  )
  return rows[0]!
}

function outboxResult(
  { queued, issued_at: issuedAt, due_at: dueAt, attempts, reply }: WaitingMails,
  now: Date,
  mailRemedyOf: DatabaseCheckOptions['mailRemedyOf'] = () => undefined,
): CheckResult {
  const name = 'outbox'
  const since = (at: Date | null) => (at ? Math.max(0, now.getTime() - at.getTime()) : 0)
  const age = issuedAt ? `, the oldest for ${Math.round(since(issuedAt) / 1000)} s` : ''
  const answered =
    reply === null
      ? ''
      : `; after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} the last reply was ${reply}`
  const found = `${queued} ${queued === 1 ? 'mail waits' : 'mails wait'}${age}${answered}`
  if (reply !== null) {
    const remedies = reply.split('; ').flatMap((each) => mailRemedyOf(each) ?? [])
    return CheckResult.warning(name, found, remedies.join('. ') || READ_THE_LOG)
  }
  return since(dueAt) >= LATE_MAIL_IN_MS
    ? CheckResult.warning(name, found, READ_THE_LOG)
    : CheckResult.ok(name, found)
}

const READ_THE_LOG =
  'Check that a process delivers mails (countersign serve or deliver), and read the lines "mail attempt" in its log'

function unreachable(error: unknown): CheckResult {
  const code = codeOf(error)
  return CheckResult.failed(
    'database',
    `it cannot be used (${code})`,
    REMEDIES.find(([codes]) => codes.test(code))?.[1] ?? CHECK_REACH,
  )
}

const CHECK_REACH = 'Check host and port in DATABASE_URL, and that the server runs and is reachable from here'
const TRUST =
  'Trust the authority of its certificate with sslrootcert=<file> in DATABASE_URL, and use the host name in the certificate'
const REMEDIES: readonly (readonly [codes: RegExp, remedy: string])[] = [
  [/^28/, 'Check user and password in DATABASE_URL (percent-encoded), and their rules in pg_hba.conf'],
  [/^3D000$/, 'countersign migrate creates and fills it'],
  [/^42501$/, 'GRANT CONNECT ON the database TO the role of DATABASE_URL'],
  [/^53300$/, 'Raise max_connections, or run fewer processes: each takes up to 10 connections'],
  [/^08P01$/, 'If there is a PgBouncer in between: ignore_startup_parameters = statement_timeout'],
  [/CERT|SIGNATURE|^ERR_TLS/, TRUST],
]

/** Only the code of an error. A message of the server may quote the query. */
function codeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error]
  const { code, message } = first as NodeJS.ErrnoException
  if (code) return code
  return /timeout/i.test(message) ? 'no answer in time' : 'no connection'
}

/** The socket of a client. The types of node-postgres do not declare it. */
function socketOf(client: pg.PoolClient): Partial<TLSSocket> {
  return (client as unknown as { readonly connection: { readonly stream: Partial<TLSSocket> } }).connection
    .stream
}
