import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { PrismaAuditTrail } from '../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseCheck } from '../../src/adapters/persistence-prisma/connection/database-check.ts'
import { DATABASE_REMEDIES } from '../../src/adapters/persistence-prisma/connection/database-remedies.ts'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { PrismaOtpOutbox } from '../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { issued, opened } from '../../test/contracts/stores.ts'
import { afterNoon, NOON } from '../../test/domain/examples.ts'
import { startPooler } from '../../test/doubles/pooler.ts'
import { selfSignedCertificate } from '../../test/doubles/self-signed-certificate.ts'
import { until } from '../../test/journeys/client.ts'
import { createDataDir } from '../../test/journeys/service-process.ts'
import { resultsOf } from '../../test/support/check-results.ts'
import { createTestDatabase, missingDatabaseUrl, query } from '../../test/support/database.ts'
import { createRole } from '../../test/support/database-role.ts'
import {
  hasPgBouncer,
  type PgBouncer,
  type PgBouncerSettings,
  startPgBouncer,
} from '../../test/support/pgbouncer.ts'
import { SEALS } from '../../test/support/seals.ts'
import { startOwnServer } from '../faults/own-server.ts'

/*
 * Each remedy of the diagnosis, followed to the letter: the diagnosis gives it, somebody does what it says, and the diagnosis is then
 * content. A remedy without a case here does not compile.
 */

interface Trouble {
  readonly url: string
  readonly production?: boolean
  readonly now?: () => Date
  /** Whether the trouble is in a time that makes other checks fail. */
  readonly alone?: true
  /** Does what the remedy says. Returns the new DATABASE_URL, if it changed. */
  follow(remedy: string): Promise<string | undefined>
}

interface Case {
  /** The name of the result that has the remedy. */
  readonly of: string
  /** Ways to follow one remedy. Each gets a trouble of its own. */
  readonly ways: Readonly<Record<string, (t: ExecutionContext) => Promise<Trouble>>>
  readonly needsPgBouncer?: true
}

/** Nobody can follow these in a test: read a log, run another version of PostgreSQL or of Countersign, or spread tables without Citus. */
type Unfollowed =
  | 'log'
  | 'version'
  | 'newerVersion'
  | 'sharded'
  | 'unsharded'
  | 'functions'
  | 'copies'
  | 'servers'
  | 'betweenServers'
  | 'rightsOfServers'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const ALL_IGNORED = {
  ignore_startup_parameters: 'statement_timeout, idle_in_transaction_session_timeout, lock_timeout',
}

const diagnose = ({ production = false, now = () => new Date() }: Partial<Trouble>, url: string) =>
  resultsOf(new DatabaseCheck({ url, production }, { now }))

const changed = (url: string, change: (url: URL) => void): string => {
  const other = new URL(url)
  change(other)
  return other.href
}
const withParameter = (url: string, name: string, value: string) =>
  changed(url, ({ searchParams }) => searchParams.set(name, value))

/** A role that has all rights, and limits for its statements, as deploy/postgresql makes it. */
async function createServiceRole(t: ExecutionContext) {
  const { url: admin } = await createTestDatabase()
  const { role, url } = await createRole(t, admin)
  const granting = (await diagnose({}, url)).find(({ name }) => name === 'database-role')!.remedy!
  await query(
    admin,
    granting,
    `ALTER ROLE ${role} SET statement_timeout = '5s'`,
    `ALTER ROLE ${role} SET idle_in_transaction_session_timeout = '5s'`,
    `ALTER ROLE ${role} SET lock_timeout = '1s'`,
  )
  return { admin, role, url }
}

async function createEmptyDatabase(): Promise<string> {
  const url = missingDatabaseUrl()
  await query((await createTestDatabase()).url, `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)
  return url
}

async function pgBouncer(t: ExecutionContext, settings: PgBouncerSettings): Promise<PgBouncer> {
  const bouncer = await startPgBouncer((await createServiceRole(t)).url, settings)
  t.teardown(bouncer.stop)
  return bouncer
}

/** A trouble that other settings of PgBouncer end. */
const byPgBouncer =
  (
    before: PgBouncerSettings,
    after: (remedy: string) => PgBouncerSettings,
    parameters: Readonly<Record<string, string>> = {},
  ) =>
  async (t: ExecutionContext): Promise<Trouble> => {
    const bouncer = await pgBouncer(t, before)
    const url = Object.entries(parameters).reduce((so, each) => withParameter(so, ...each), bouncer.url)
    return {
      url,
      follow: async (remedy) => {
        await bouncer.configure(after(remedy))
        return undefined
      },
    }
  }

/** A trouble that `pgbouncer=true` in DATABASE_URL ends. */
const byUrl = (settings: PgBouncerSettings) => async (t: ExecutionContext) => {
  const { url } = await pgBouncer(t, settings)
  return { url, follow: async () => withParameter(url, 'pgbouncer', 'true') }
}

/** The setting of pgbouncer.ini that a remedy quotes. */
const quoted = (remedy: string, name: string) => ({
  [name]: new RegExp(`${name} = ([\\w, ]+)`).exec(remedy)![1]!,
})

async function forward(t: ExecutionContext, url: string, host: string, port: number): Promise<Server> {
  const target = new URL(url)
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.pipe(upstream).pipe(client)
  }).listen(port, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
  })
  return server
}

async function ownServer(t: ExecutionContext, settings: Readonly<Record<string, string>>) {
  const home = await createDataDir()
  const options = { folder: join(home.path, 'postgres') }
  let server = await startEmbeddedPostgres({ ...options, settings })
  t.teardown(async () => {
    await server.stop()
    await home.remove()
  })
  await migrateDatabase(server.url)
  return {
    url: server.url,
    restart: async (others: Readonly<Record<string, string>>) => {
      await server.stop()
      server = await startEmbeddedPostgres({ ...options, settings: others })
      return server.url
    },
  }
}

/** An address of this machine by which a connection does not count as local. */
const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

/** A server with TLS whose connections come over the network. */
async function encryptedServer(t: ExecutionContext) {
  const host = OWN_ADDRESS!
  const home = await createDataDir()
  t.teardown(home.remove)
  const { cert, key } = selfSignedCertificate(host)
  const { url } = await ownServer(t, {})
  // PostgreSQL reads the files as its own account, from its own folder.
  await query(
    url,
    `COPY (SELECT unnest(string_to_array('${cert.trim()}', E'\\n'))) TO PROGRAM 'cat > server.crt'`,
    `COPY (SELECT unnest(string_to_array('${key.trim()}', E'\\n'))) TO PROGRAM 'umask 077 && cat > server.key'`,
    `ALTER SYSTEM SET ssl = on`,
    `SELECT pg_reload_conf()`,
  )
  const authority = join(home.path, 'authority.pem')
  await writeFile(authority, cert)
  const proxy = await forward(t, url, host, 0)
  const { port } = proxy.address() as AddressInfo
  return { url: changed(url, (own) => (own.host = `${host}:${port}`)), authority }
}

/** A primary with a synchronous standby. */
async function replicated(t: ExecutionContext) {
  const primary = await startOwnServer()
  t.teardown(primary.stop)
  const standby = await primary.standBy()
  t.teardown(standby.stop)
  /** Whose wal sender is gone or there, as the primary sees it. */
  const attached = (count: number) =>
    until(
      () => query(primary.url, `SELECT FROM pg_stat_replication WHERE state = 'streaming'`),
      ({ length }) => length === count,
    )
  return { url: primary.url, standby, attached }
}

const waitFor = (url: string, names: string) =>
  query(
    url,
    `ALTER SYSTEM SET synchronous_standby_names = '${names}'`,
    'SELECT pg_reload_conf()',
    // The setting arrives at each process by itself.
    'SELECT pg_sleep(0.2)',
  )

/** A database that a setting makes read-only. Following the remedy runs its statements, as `admin`. */
async function readOnly(
  t: ExecutionContext,
  statement: (role: string, database: string) => string,
): Promise<Trouble> {
  const { admin, role, url } = await createServiceRole(t)
  await query(admin, statement(role, new URL(url).pathname.slice(1)))
  return {
    url,
    follow: async (remedy) => void (await query(admin, ...remedy.split(/(?<=;) /))),
  }
}

const CASES: Record<Exclude<keyof typeof DATABASE_REMEDIES, Unfollowed>, Case> = {
  unreachable: {
    of: 'database',
    ways: {
      'the server runs': async (t) => {
        const { url } = await createTestDatabase()
        const port = await freePort()
        return {
          url: changed(url, (own) => (own.port = String(port))),
          follow: async () => {
            await forward(t, url, '127.0.0.1', port)
            return undefined
          },
        }
      },
      'the port is right': async () => {
        const { url } = await createTestDatabase()
        return { url: changed(url, (own) => (own.port = '1')), follow: async () => url }
      },
    },
  },
  hostName: {
    of: 'database',
    ways: {
      'the name is right': async () => {
        const { url } = await createTestDatabase()
        return { url: changed(url, (own) => (own.hostname = 'nobody.invalid')), follow: async () => url }
      },
    },
  },
  credentials: {
    of: 'database',
    ways: {
      'the password is right': async (t) => {
        const { url } = await createServiceRole(t)
        return { url: changed(url, (own) => (own.password = 'wrong')), follow: async () => url }
      },
      'the user is right': async (t) => {
        const { url } = await createServiceRole(t)
        return { url: changed(url, (own) => (own.username = 'nobody')), follow: async () => url }
      },
      ...(hasPgBouncer && {
        'the password is that of auth_file': async (t) => {
          const settings = { pool_mode: 'session', ...ALL_IGNORED, auth_type: 'scram-sha-256' }
          const { url } = await pgBouncer(t, settings)
          return { url: changed(url, (own) => (own.password = 'wrong')), follow: async () => url }
        },
      }),
    },
  },
  missingDatabase: {
    of: 'database',
    ways: {
      'countersign migrate': async () => {
        const url = missingDatabaseUrl()
        return { url, follow: async () => void (await migrateDatabase(url)) }
      },
    },
  },
  connectPrivilege: {
    of: 'database',
    ways: {
      GRANT: async (t) => {
        const { admin, role, url } = await createServiceRole(t)
        const database = new URL(url).pathname.slice(1)
        await query(admin, `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`)
        return {
          url,
          follow: async (remedy) => {
            await query(
              admin,
              remedy.replace('the database', `DATABASE ${database}`).replace(/the role of \w+/, role),
            )
            return undefined
          },
        }
      },
    },
  },
  maxConnections: {
    of: 'database',
    ways: {
      'raise max_connections': (t) => crowded(t, async ({ restart }) => restart({ max_connections: '30' })),
      'run fewer processes': (t) =>
        crowded(t, async ({ leave }) => {
          await leave()
          return undefined
        }),
    },
  },
  starting: {
    of: 'database',
    ways: {
      wait: async (t) => {
        const { url } = await createTestDatabase()
        const starting = createServer((socket) => {
          socket.on('error', () => {})
          socket.once('data', () => socket.end(STARTING_UP))
        }).listen(0, '127.0.0.1')
        await once(starting, 'listening')
        const { port } = starting.address() as AddressInfo
        return {
          url: changed(url, (own) => (own.port = String(port))),
          follow: async () => {
            starting.close()
            await once(starting, 'close')
            await forward(t, url, '127.0.0.1', port)
            return undefined
          },
        }
      },
    },
  },
  noEncryption: {
    of: 'database',
    ways: {
      'remove sslmode': async () => {
        const { url } = await createTestDatabase()
        return { url: withParameter(url, 'sslmode', 'verify-full'), follow: async () => url }
      },
    },
  },
  encryption: {
    of: 'database-tls',
    ways: {
      'sslmode and sslrootcert': async (t) => {
        const { url, authority } = await encryptedServer(t)
        return {
          url,
          follow: async (remedy) =>
            withParameter(
              withParameter(url, 'sslmode', /sslmode=([\w-]+)/.exec(remedy)![1]!),
              'sslrootcert',
              authority,
            ),
        }
      },
    },
  },
  untrusted: {
    of: 'database',
    ways: {
      sslrootcert: async (t) => {
        const { url, authority } = await encryptedServer(t)
        const strict = withParameter(url, 'sslmode', 'verify-full')
        return { url: strict, follow: async () => withParameter(strict, 'sslrootcert', authority) }
      },
      'the host name in the certificate': async (t) => {
        const { url, authority } = await encryptedServer(t)
        const strict = withParameter(withParameter(url, 'sslmode', 'verify-full'), 'sslrootcert', authority)
        await forward(t, url, '127.0.0.1', Number(new URL(url).port))
        return {
          url: changed(strict, (own) => (own.hostname = '127.0.0.1')),
          follow: async () => strict,
        }
      },
    },
  },

  standby: {
    of: 'database-writes',
    ways: {
      'the primary': async (t) => {
        const { url, standby } = await replicated(t)
        return { url: standby.url, follow: async () => url }
      },
      promote: async (t) => {
        const { standby } = await replicated(t)
        return { url: standby.url, follow: async () => void (await standby.promote()) }
      },
    },
  },
  readOnly: {
    of: 'database-writes',
    ways: {
      'ALTER DATABASE': (t) =>
        readOnly(t, (_, database) => `ALTER DATABASE ${database} SET default_transaction_read_only = on`),
      'ALTER ROLE': (t) => readOnly(t, (role) => `ALTER ROLE ${role} SET default_transaction_read_only = on`),
      'ALTER ROLE IN DATABASE': (t) =>
        readOnly(
          t,
          (role, database) =>
            `ALTER ROLE ${role} IN DATABASE ${database} SET default_transaction_read_only = on`,
        ),
      'ALTER SYSTEM': async (t) => {
        const { url } = await ownServer(t, {})
        await query(
          url,
          'ALTER SYSTEM SET default_transaction_read_only = on',
          'SELECT pg_reload_conf()',
          'SELECT pg_sleep(0.2)',
        )
        return {
          url,
          follow: async (remedy) =>
            void (await query(url, ...remedy.split('; ').slice(0, 2), 'SELECT pg_sleep(0.2)')),
        }
      },
      DATABASE_URL: async (t) => {
        const { url } = await createServiceRole(t)
        const readOnlyUrl = withParameter(url, 'options', '-c default_transaction_read_only=on')
        return { url: readOnlyUrl, follow: async () => url }
      },
    },
  },
  asynchronous: {
    of: 'replication',
    ways: {
      synchronous_standby_names: async (t) => {
        const { url } = await replicated(t)
        await waitFor(url, '')
        return { url, follow: async () => void (await waitFor(url, '*')) }
      },
    },
  },
  localCommit: {
    of: 'replication',
    ways: {
      'ALTER ROLE': async (t) => {
        const { url } = await replicated(t)
        await query(url, 'ALTER ROLE CURRENT_USER SET synchronous_commit = local')
        return { url, follow: async (remedy) => void (await query(url, remedy.split(';')[0]!)) }
      },
    },
  },
  missingStandby: {
    of: 'replication',
    ways: {
      'start the standby': async (t) => {
        const { url, standby, attached } = await replicated(t)
        const start = await standby.interrupt()
        await attached(0)
        return {
          url,
          follow: async () => {
            await start()
            await attached(1)
            return undefined
          },
        }
      },
      'take it back': async (t) => {
        const { url, standby, attached } = await replicated(t)
        await standby.interrupt()
        await attached(0)
        return { url, follow: async () => void (await waitFor(url, '')) }
      },
    },
  },
  laggingStandby: {
    of: 'replication',
    ways: {
      'the standby goes on': async (t) => {
        const { url, standby } = await replicated(t)
        const [receiver] = (await query(
          standby.url,
          `SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'`,
        )) as { pid: number }[]
        process.kill(receiver!.pid, 'SIGSTOP')
        await query(
          url,
          `SELECT pg_logical_emit_message(false, 'proof', repeat('x', 1024 * 1024)) FROM generate_series(1, 40)`,
        )
        return {
          url,
          follow: async () => {
            process.kill(receiver!.pid, 'SIGCONT')
            await until(
              () =>
                query(url, 'SELECT FROM pg_stat_replication WHERE flush_lsn = pg_current_wal_flush_lsn()'),
              ({ length }) => length === 1,
            )
            return undefined
          },
        }
      },
    },
  },

  startupParameters: {
    of: 'database',
    needsPgBouncer: true,
    ways: {
      'ignore_startup_parameters, in session mode': byPgBouncer({ pool_mode: 'session' }, (remedy) => ({
        pool_mode: 'session',
        ...quoted(remedy, 'ignore_startup_parameters'),
      })),
      'ignore_startup_parameters, where one was ignored': byPgBouncer(
        { pool_mode: 'session', ignore_startup_parameters: 'statement_timeout' },
        (remedy) => ({ pool_mode: 'session', ...quoted(remedy, 'ignore_startup_parameters') }),
      ),
      'ignore_startup_parameters, with another one that DATABASE_URL sets': byPgBouncer(
        { pool_mode: 'session', ...ALL_IGNORED },
        (remedy) => ({ pool_mode: 'session', ...quoted(remedy, 'ignore_startup_parameters') }),
        { options: '-c jit=off' },
      ),
      'pgbouncer=true, in session mode': byUrl({ pool_mode: 'session' }),
      'pgbouncer=true, in transaction mode': byUrl({ pool_mode: 'transaction' }),
    },
  },
  poolerDatabase: {
    of: 'database',
    needsPgBouncer: true,
    ways: {
      'a line for the database': async (t) => {
        const { url } = await pgBouncer(t, { pool_mode: 'session', ...ALL_IGNORED })
        return { url: changed(url, (own) => (own.pathname = '/unlisted')), follow: async () => url }
      },
    },
  },
  poolerConnections: {
    of: 'database',
    needsPgBouncer: true,
    ways: {
      max_client_conn: byPgBouncer({ pool_mode: 'session', ...ALL_IGNORED, max_client_conn: 1 }, () => ({
        pool_mode: 'session',
        ...ALL_IGNORED,
        max_client_conn: 100,
      })),
    },
  },
  poolSize: {
    of: 'pooler',
    needsPgBouncer: true,
    ways: {
      'default_pool_size, in session mode': byPgBouncer(
        { pool_mode: 'session', ...ALL_IGNORED, default_pool_size: 1 },
        () => ({ pool_mode: 'session', ...ALL_IGNORED, default_pool_size: 10 }),
      ),
      'default_pool_size, in transaction mode': byPgBouncer(
        { pool_mode: 'transaction', default_pool_size: 1 },
        () => ({ pool_mode: 'transaction', default_pool_size: 10 }),
        { pgbouncer: 'true' },
      ),
      'default_pool_size, where the pooler gives up first': byPgBouncer(
        { pool_mode: 'session', ...ALL_IGNORED, default_pool_size: 1, query_wait_timeout: 1 },
        () => ({ pool_mode: 'session', ...ALL_IGNORED, default_pool_size: 10 }),
      ),
    },
  },
  poolerServer: {
    of: 'database',
    needsPgBouncer: true,
    ways: {
      'the password of the database': byPgBouncer(
        { pool_mode: 'session', ...ALL_IGNORED, server: `${server()} user=nobody password=wrong` },
        () => ({ pool_mode: 'session', ...ALL_IGNORED }),
      ),
    },
  },
  poolMode: {
    of: 'database',
    needsPgBouncer: true,
    ways: {
      session: byPgBouncer({ pool_mode: 'statement', ...ALL_IGNORED }, () => ({
        pool_mode: 'session',
        ...ALL_IGNORED,
      })),
      transaction: byPgBouncer({ pool_mode: 'statement' }, () => ({ pool_mode: 'transaction' }), {
        pgbouncer: 'true',
      }),
    },
  },
  preparedStatements: {
    of: 'pooler',
    ways: {
      'pgbouncer=true': async (t) => {
        const { url, server } = await startPooler((await createServiceRole(t)).url, { mode: 'transaction' })
        t.teardown(() => {
          server.close()
        })
        return { url, follow: async () => withParameter(url, 'pgbouncer', 'true') }
      },
      'a pooler that prepares': async (t) => {
        const { url } = await createServiceRole(t)
        const [without, withThem] = await Promise.all(
          [false, true].map((preparedStatements) =>
            startPooler(url, { mode: 'transaction', preparedStatements }),
          ),
        )
        t.teardown(() => {
          for (const pooler of [without!, withThem!]) pooler.server.close()
        })
        return { url: without!.url, follow: async () => withThem!.url }
      },
    },
  },
  timeLimits: {
    of: 'statement-timeout',
    needsPgBouncer: true,
    ways: {
      'ALTER ROLE, in session mode': (t) => withoutLimits(t, { pool_mode: 'session', ...ALL_IGNORED }),
      'ALTER ROLE, in transaction mode': (t) =>
        withoutLimits(t, { pool_mode: 'transaction' }, { pgbouncer: 'true' }),
    },
  },
  noPooler: {
    of: 'statement-timeout',
    ways: {
      'remove pgbouncer=true': async () => {
        const { url } = await createTestDatabase()
        return { url: withParameter(url, 'pgbouncer', 'true'), follow: async () => url }
      },
    },
  },

  clock: {
    of: 'clock',
    ways: {
      'a time service': async () => {
        let offInMs = 60_000
        return {
          url: (await createTestDatabase()).url,
          now: () => new Date(Date.now() + offInMs),
          follow: async () => {
            offInMs = 0
            return undefined
          },
        }
      },
    },
  },
  privileges: {
    of: 'database-role',
    ways: {
      GRANT: async (t) => {
        const { url: admin } = await createTestDatabase()
        const { url } = await createRole(t, admin)
        return { url, follow: async (remedy) => void (await query(admin, remedy)) }
      },
    },
  },
  surplusPrivileges: {
    of: 'database-role',
    ways: {
      REVOKE: async (t) => {
        const { admin, role, url } = await createServiceRole(t)
        await query(admin, `GRANT DELETE ON challenge_events TO ${role}`)
        return { url, follow: async (remedy) => void (await query(admin, remedy)) }
      },
    },
  },
  functionOwner: {
    of: 'database-role',
    ways: {
      'ALTER FUNCTION': async (t) => {
        const { admin, url } = await createServiceRole(t)
        const { role: owner } = await createRole(t, admin)
        await query(admin, `ALTER TABLE challenge_events OWNER TO ${owner}`)
        return { url, follow: async (remedy) => void (await query(admin, remedy)) }
      },
    },
  },
  superuser: {
    of: 'database-role',
    ways: {
      'a role that owns nothing': async (t) => {
        const { admin, url } = await createServiceRole(t)
        return { url: admin, production: true, follow: async () => url }
      },
    },
  },

  failedMigration: {
    of: 'migrations',
    ways: {
      'prisma migrate resolve': async () => {
        const { url } = await createTestDatabase()
        const [last] = (await query(
          url,
          'SELECT migration_name AS name FROM _prisma_migrations ORDER BY migration_name DESC LIMIT 1',
        )) as { name: string }[]
        // All of it was done, but not recorded.
        await query(
          url,
          `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${last!.name}'`,
        )
        return {
          url,
          follow: async (remedy) => {
            const [, command] = /run npx (prisma migrate resolve)/.exec(remedy)!
            await promisify(execFile)('npx', [...command!.split(' '), '--applied', last!.name], {
              cwd: PROJECT,
              env: { ...process.env, DATABASE_URL: url },
            })
            return undefined
          },
        }
      },
    },
  },
  pendingMigrations: {
    of: 'migrations',
    ways: {
      'countersign migrate': async () => {
        const url = await createEmptyDatabase()
        return { url, follow: async () => void (await migrateDatabase(url)) }
      },
    },
  },
  outbox: {
    of: 'outbox',
    ways: {
      'a process that delivers': async (t) => {
        const { url } = await createTestDatabase()
        const { prisma, statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
        t.teardown(close)
        const outbox = new PrismaOtpOutbox(statements, SEALS)
        const stores = {
          stepUps: new PrismaStepUps(statements, SEALS),
          registry: new PrismaUserRegistry(prisma),
          outbox,
          trail: new PrismaAuditTrail(prisma),
        }
        await issued(stores, (await opened(stores)).id)
        return {
          url,
          now: () => afterNoon(60),
          alone: true,
          follow: async () => {
            const [claimed] = await outbox.claim(1, NOON, afterNoon(30))
            await outbox.record(claimed!.issuance, ...OtpIssuance.markSent(claimed!.issuance, 'm', NOON))
            return undefined
          },
        }
      },
    },
  },
}

/** PostgreSQL's answer while it starts (57P03). */
const STARTING_UP = (() => {
  const body = Buffer.from('SFATAL\0C57P03\0Mthe database system is starting up\0\0')
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
})()

/** The server of these tests, as PgBouncer writes it. Its database is that of the URL. */
function server(): string {
  const { hostname, port } = new URL(missingDatabaseUrl())
  return `host=${hostname} port=${port}`
}

async function crowded(
  t: ExecutionContext,
  follow: (crowd: {
    restart: (settings: Readonly<Record<string, string>>) => Promise<string>
    leave: () => Promise<void>
  }) => Promise<string | undefined>,
): Promise<Trouble> {
  const own = await ownServer(t, { max_connections: '6' })
  await query(own.url, `CREATE ROLE crowd LOGIN PASSWORD 'crowd'`)
  const asCrowd = (url: string) => Object.assign(new URL(url), { username: 'crowd', password: 'crowd' }).href
  const url = asCrowd(own.url)
  const granting = (await diagnose({}, url)).find(({ name }) => name === 'database-role')!.remedy!
  await query(own.url, granting)
  const others = Array.from({ length: 3 }, () => new pg.Client({ connectionString: url }))
  for (const other of others) {
    other.on('error', () => {})
    await other.connect()
  }
  const leave = async () => {
    await Promise.all(others.map((other) => other.end()))
  }
  return {
    url,
    follow: () => follow({ leave, restart: async (settings) => asCrowd(await own.restart(settings)) }),
  }
}

async function withoutLimits(
  t: ExecutionContext,
  settings: PgBouncerSettings,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Trouble> {
  const { admin, role, url } = await createServiceRole(t)
  await query(admin, `ALTER ROLE ${role} RESET ALL`)
  const bouncer = await startPgBouncer(url, settings)
  t.teardown(bouncer.stop)
  return {
    url: Object.entries(parameters).reduce((so, each) => withParameter(so, ...each), bouncer.url),
    follow: async (remedy) => {
      for (const [statement] of remedy.matchAll(/ALTER ROLE [^;]+;/g)) await query(admin, statement)
      await bouncer.configure(settings)
      return undefined
    },
  }
}

for (const [name, { of, ways, needsPgBouncer }] of Object.entries(CASES)) {
  const needsNetwork = name === 'encryption' || name === 'untrusted'
  const possible = (!needsPgBouncer || hasPgBouncer) && (!needsNetwork || OWN_ADDRESS !== undefined)
  for (const [way, prepare] of Object.entries(ways)) {
    const run = possible ? test.serial : test.skip
    run(`the remedy ${name} ends the trouble: ${way}`, async (t) => {
      const trouble = await prepare(t)
      const remedy = DATABASE_REMEDIES[name as keyof typeof CASES]

      const before = await diagnose(trouble, trouble.url)
      const result = before.find(({ name, level }) => name === of && level !== 'ok')
      t.truthy(result, JSON.stringify(before))
      if (typeof remedy === 'string') t.is(result?.remedy, remedy, JSON.stringify(before))
      const url = (await trouble.follow(result!.remedy!)) ?? trouble.url

      const after = await diagnose(trouble, url)
      t.deepEqual(
        after.filter(({ name, level }) => level !== 'ok' && (name === of || !trouble.alone)),
        [],
      )
    })
  }
}

for (const mode of hasPgBouncer ? (['session', 'transaction'] as const) : []) {
  test.serial(
    `a set-up that follows each remedy behind PgBouncer in ${mode} mode never meets one twice`,
    async (t) => {
      const { admin, role, url } = await createServiceRole(t)
      await query(admin, `ALTER ROLE ${role} RESET ALL`)
      let settings: PgBouncerSettings = { pool_mode: mode }
      const bouncer = await startPgBouncer(url, settings)
      t.teardown(bouncer.stop)
      let current = bouncer.url
      const met: string[] = []

      for (let result = await firstTrouble(current); result; result = await firstTrouble(current)) {
        const remedy = result.remedy!
        t.false(met.includes(remedy), remedy)
        met.push(remedy)
        for (const [statement] of remedy.matchAll(/ALTER ROLE [^;]+;/g)) await query(admin, statement)
        const own = /(ignore_startup_parameters) = ([\w, ]+)/.exec(remedy)
        if (own) settings = { ...settings, [own[1]!]: own[2]! }
        else if (remedy.includes('pgbouncer=true')) current = withParameter(current, 'pgbouncer', 'true')
        await bouncer.configure(settings)
      }

      t.is(met.length, mode === 'session' ? 2 : 3)
    },
  )
}

async function firstTrouble(url: string) {
  return (await diagnose({}, url)).find(({ level }) => level !== 'ok')
}
