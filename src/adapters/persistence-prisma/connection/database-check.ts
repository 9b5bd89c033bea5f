import type { TLSSocket } from 'node:tls'
import type pg from 'pg'
import type { Clock } from '../../../application/ports/clock.ts'
import { CheckResult, type DiagnosticCheck } from '../../../contracts/diagnostic-check.ts'
import { connectPrisma } from './connect-prisma.ts'
import { connectionFailure, STARTUP_PARAMETERS } from './connection-failure.ts'
import { migrationState } from './database-health.ts'
import { DATABASE_REMEDIES as REMEDIES } from './database-remedies.ts'
import { detectPooling, type Pooling } from './pooling.ts'
import { replicationResult } from './replication.ts'
import type { Sharding } from './sharding.ts'
import { checkSharding } from './sharding-check.ts'

export interface DatabaseCheckOptions {
  readonly url: string
  /** Production has stricter checks than a development set-up. */
  readonly production: boolean
  /** Where the configuration says that the tables are. By default they are on one server. */
  readonly sharding?: Sharding | undefined
  /** What to do about a reply of a mail system, as the audit trail has it. Undefined if it knows nothing. */
  readonly mailRemedyOf?: (reply: string) => string | undefined
}

/** As in docs/operations.md. */
const OLDEST_MAJOR = 15
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
  mailbox_issuances: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  challenge_strangers: ['SELECT', 'INSERT', 'DELETE'],
  security_notices: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  challenge_events: ['SELECT', 'INSERT'],
  trail_heads: ['SELECT'],
  trail_anchors: ['SELECT', 'INSERT'],
  trail_retention: ['SELECT'],
  service_events: ['SELECT', 'UPDATE', 'DELETE'],
  challenge_expiries: ['SELECT', 'UPDATE', 'DELETE'],
  webhook_endpoints: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  _prisma_migrations: ['SELECT'],
}
const NEEDED_SEQUENCE = 'challenge_events_id_seq'
/** Deletes what is past its retention, as the owner of the tables. */
export const NEEDED_FUNCTION = 'purge_challenge_events(integer, integer)'
/** With any of these on a table of the trail, a role could change what is recorded. */
const RIGHTS_TO_CHANGE = ['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']
const TRAIL = ['challenge_events', 'trail_heads', 'trail_anchors', 'trail_retention']

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
      const client = await pool.connect()
      try {
        yield await checkServer(client)
        yield* replicationResult(client)
        yield this.#checkEncryption(client)
        yield await this.#checkClock(client)
        const { prepares } = connections.statements
        const pooling = await detectPooling(client, pool, prepares)
        yield poolerResult(pooling, prepares)
        if (pooling.mode === 'starved') return
        yield* checkTimeLimits(client, pooling)
        const role = await this.#checkRole(client)
        yield role
        if (role.level === 'failed') return
      } finally {
        // Closes it: after an error, a query may still wait in a pooler.
        client.release(true)
      }
      const migrations = await migrationState(prisma)
      yield migrationsResult(migrations)
      if (migrations.pending.length > 0) return
      yield* checkSharding(pool, this.#options.url, this.#options.sharding ?? 'none')

      const now = this.#clock.now()
      yield outboxResult(await oldestWaitingMail(pool), now, this.#options.mailRemedyOf)
    } catch (error) {
      const { problem, remedy } = connectionFailure(error)
      yield CheckResult.failed('database', `it ${problem}`, remedy)
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
          REMEDIES.encryption,
        )
      : CheckResult.warning(name, 'the connection is not encrypted', REMEDIES.encryption)
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
    if (certain >= GRAVE_CLOCK_DIFFERENCE_IN_MS) return CheckResult.failed(name, found, REMEDIES.clock)
    if (certain >= NOTABLE_CLOCK_DIFFERENCE_IN_MS) return CheckResult.warning(name, found, REMEDIES.clock)
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
      return CheckResult.failed(
        name,
        `the role ${role} lacks privileges that the service needs`,
        REMEDIES.privileges(role, missing),
      )
    }
    if (superuser && this.#options.production) {
      return CheckResult.warning(
        name,
        `the role ${role} is a superuser: no rule of the database applies to it, not even the append-only rule of the audit trail`,
        REMEDIES.superuser,
      )
    }
    return (
      (await trailResult(client, role, this.#options.production)) ??
      CheckResult.ok(name, `the role ${role} has all privileges that the service needs`)
    )
  }
}

/** Undefined if the role can add to the audit trail, and neither change nor delete what is there. */
async function trailResult(
  client: pg.PoolClient,
  role: string,
  production: boolean,
): Promise<CheckResult | undefined> {
  const name = 'database-role'
  const { rows } = await client.query<{ owner: string; owns: boolean; purges: boolean }>(
    `SELECT quote_ident(pg_get_userbyid(relowner)) AS owner, pg_has_role(relowner, 'USAGE') AS owns,
       proowner = relowner AS purges
     FROM pg_class, pg_proc
     WHERE pg_class.oid = to_regclass('challenge_events') AND pg_proc.oid = to_regprocedure($1)`,
    [NEEDED_FUNCTION],
  )
  // The migrations that make them are pending.
  if (!rows[0]) return undefined
  const { owner, owns, purges } = rows[0]
  if (!purges) {
    return CheckResult.failed(
      name,
      `${NEEDED_FUNCTION} does not belong to the owner of the audit trail, so it cannot purge it`,
      REMEDIES.functionOwner(owner, NEEDED_FUNCTION),
    )
  }
  if (owns) {
    return production
      ? CheckResult.warning(
          name,
          `the role ${role} owns the audit trail, so it can change and delete what is recorded`,
          REMEDIES.superuser,
        )
      : undefined
  }
  const { rows: surplus } = await client.query<{ object: string; privileges: string[] }>(
    `SELECT object, array_agg(privilege ORDER BY number) AS privileges
     FROM unnest($1::text[]) AS object, unnest($2::text[]) WITH ORDINALITY AS other (privilege, number)
     WHERE has_table_privilege(to_regclass(object), privilege)
     GROUP BY object ORDER BY object`,
    [TRAIL, RIGHTS_TO_CHANGE],
  )
  return surplus.length > 0
    ? CheckResult.warning(
        name,
        `the role ${role} has privileges with which it could change the audit trail`,
        REMEDIES.surplusPrivileges(role, surplus),
      )
    : undefined
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
    ? CheckResult.warning('database', found, REMEDIES.version)
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
     WHERE NOT has_sequence_privilege(to_regclass($3::text), 'USAGE')
     UNION ALL
     SELECT 'FUNCTION ' || $4::text, ARRAY['EXECUTE']
     WHERE NOT has_function_privilege(to_regprocedure($4::text), 'EXECUTE')`,
    [
      needed.map(({ object }) => object),
      needed.map(({ privilege }) => privilege),
      NEEDED_SEQUENCE,
      NEEDED_FUNCTION,
    ],
  )
  return rows
}

function poolerResult({ mode, keepsPrepared }: Pooling, prepares: boolean): CheckResult {
  const name = 'pooler'
  switch (mode) {
    case 'none':
      return CheckResult.ok(name, 'connections go directly to the server')
    case 'session':
      return CheckResult.ok(name, 'connections go through a pooler that gives each a session of its own')
    case 'starved':
      return CheckResult.failed(
        name,
        'connections go through a pooler that had no connection to the server for a second query',
        REMEDIES.poolSize,
      )
    case 'transaction': {
      const found = 'connections go through a pooler in transaction mode'
      if (!keepsPrepared) {
        return CheckResult.failed(
          name,
          `${found}, which does not support the prepared statements of the service`,
          REMEDIES.preparedStatements,
        )
      }
      const support = prepares
        ? 'which supports prepared statements'
        : 'and nothing is prepared there (pgbouncer=true)'
      return CheckResult.ok(
        name,
        `${found}, ${support}; countersign migrate has to connect to the server itself`,
      )
    }
  }
}

/** None of these limits that the service sets at the start of a connection passes a pooler. With `pgbouncer=true` it sets none. */
async function* checkTimeLimits(client: pg.PoolClient, { mode }: Pooling): AsyncGenerator<CheckResult> {
  const { rows } = await client.query<{ role: string; unlimited: string[] }>(
    `SELECT quote_ident(current_user) AS role,
            array(SELECT name FROM unnest($1::text[]) AS name WHERE current_setting(name) = '0') AS unlimited`,
    [STARTUP_PARAMETERS],
  )
  const { role, unlimited } = rows[0]!
  if (unlimited.length === 0) return
  const found = `no ${unlimited.join(' and no ')} applies, so a statement or a transaction may continue after the service has stopped waiting for it`
  yield CheckResult.warning(
    'statement-timeout',
    found,
    mode === 'none' ? REMEDIES.noPooler : REMEDIES.timeLimits(role, unlimited),
  )
}

function migrationsResult({
  pending,
  failed,
  unknown,
}: Awaited<ReturnType<typeof migrationState>>): CheckResult {
  const name = 'migrations'
  if (failed.length > 0) {
    return CheckResult.failed(name, `broken off half way: ${failed.join(', ')}`, REMEDIES.failedMigration)
  }
  if (pending.length > 0)
    return CheckResult.failed(name, `pending: ${pending.join(', ')}`, REMEDIES.pendingMigrations)
  if (unknown.length > 0) {
    return CheckResult.warning(
      name,
      `applied by a newer version than this one: ${unknown.join(', ')}`,
      REMEDIES.newerVersion,
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

interface OldestMail {
  readonly bucket: number
  readonly challenge_id: string
  readonly id: string
  readonly issued_at: Date
  readonly attempts: number
}

/**
 * How many mails wait, and the oldest of them. Reads only the index of queued rows, and the trail of one challenge: by three queries,
 * because Citus joins no rows of several servers.
 */
async function oldestWaitingMail(pool: pg.Pool): Promise<WaitingMails> {
  const { rows: counts } = await pool.query<Pick<WaitingMails, 'queued' | 'due_at'>>(
    `SELECT count(*)::integer AS queued, min(next_attempt_at) AS due_at FROM otp_issuances WHERE status = 'queued'`,
  )
  const { rows: oldest } = await pool.query<OldestMail>(
    `SELECT bucket, challenge_id, id, issued_at, delivery_attempts AS attempts
     FROM otp_issuances
     WHERE status = 'queued'
     ORDER BY issued_at, delivery_attempts DESC
     LIMIT 1`,
  )
  if (!oldest[0]) return { ...counts[0]!, issued_at: null, attempts: null, reply: null }
  const { bucket, challenge_id, id, issued_at, attempts } = oldest[0]
  const { rows: replies } = await pool.query<{ reply: string }>(
    `SELECT details ->> 'reply' AS reply
     FROM challenge_events
     WHERE bucket = $1::integer AND challenge_id = $2::uuid
       AND type = 'otp-deferred' AND details ->> 'issuanceId' = $3 AND details ->> 'reply' IS NOT NULL
     ORDER BY id DESC
     LIMIT 1`,
    [bucket, challenge_id, id],
  )
  return { ...counts[0]!, issued_at, attempts, reply: replies[0]?.reply ?? null }
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
    return CheckResult.warning(name, found, remedies.join('. ') || REMEDIES.outbox)
  }
  return since(dueAt) >= LATE_MAIL_IN_MS
    ? CheckResult.warning(name, found, REMEDIES.outbox)
    : CheckResult.ok(name, found)
}

/** The socket of a client. The types of node-postgres do not declare it. */
function socketOf(client: pg.PoolClient): Partial<TLSSocket> {
  return (client as unknown as { readonly connection: { readonly stream: Partial<TLSSocket> } }).connection
    .stream
}
