import { execFile } from 'node:child_process'
import { chown, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { configure } from '../../src/development/postgres/cluster.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { ensureOsAccount } from '../../src/development/postgres/os-account.ts'
import { serverFiles } from '../../src/development/postgres/running-server.ts'
import { serverPrograms } from '../../src/development/postgres/server-programs.ts'
import { until } from '../../test/journeys/client.ts'
import { createDataDir } from '../../test/journeys/service-process.ts'
import { query } from '../../test/support/database.ts'

const execute = promisify(execFile)

/** A PostgreSQL that a test may break. It has its default durability, and every migration applied. */
export interface OwnServer {
  readonly folder: string
  readonly url: string
  /** Crashes the server and starts it again, so that it recovers from its log. */
  restart(): Promise<void>
  /** Pauses all its processes. Returns a function that resumes them. */
  freeze(): Promise<() => void>
  /** Kills all its processes. */
  kill(): Promise<void>
  /** Adds a synchronous standby, a copy of this server. From now on, this server commits nothing without it. */
  standBy(): Promise<Standby>
  stop(): Promise<void>
}

interface Standby {
  readonly url: string
  /** Promotes it to the server that accepts writes. */
  promote(): Promise<void>
  /** Stops it. Returns a function that starts it again. */
  interrupt(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

export async function startOwnServer(): Promise<OwnServer> {
  const home = await createDataDir()
  const folder = join(home.path, 'postgres')
  const server = await startEmbeddedPostgres({ folder })
  await migrateDatabase(server.url)

  const { cluster, log } = serverFiles(folder)
  const run = await serverPrograms(folder, await ensureOsAccount())
  const freeze = async () => {
    const processIds = await frozenProcesses(cluster, server.url)
    return (signal: NodeJS.Signals) => {
      for (const processId of processIds) process.kill(processId, signal)
    }
  }
  return {
    folder,
    url: server.url,
    restart: async () => {
      await run('pg_ctl', 'restart', '--pgdata', cluster, '--log', log, '--mode', 'immediate', '--wait')
    },
    freeze: async () => {
      const send = await freeze()
      return () => send('SIGCONT')
    },
    kill: async () => {
      const send = await freeze()
      send('SIGKILL')
    },
    standBy: () => startStandby(folder, server.url),
    stop: async () => {
      await server.stop()
      await home.remove()
    },
  }
}

/** A base backup and streaming replication (PostgreSQL manual, 25.3.3 and 26.2.5 to 26.2.8), without pg_basebackup. */
async function startStandby(primary: string, primaryUrl: string): Promise<Standby> {
  const home = await createDataDir()
  const folder = join(home.path, 'postgres')
  const { cluster, log } = serverFiles(folder)
  const account = await ensureOsAccount()
  const client = new pg.Client({ connectionString: primaryUrl })
  client.on('error', () => {})
  await client.connect()

  await client.query(`SELECT pg_backup_start('standby', TRUE)`)
  await execute('cp', ['-a', primary, folder])
  const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(FALSE)')
  await rm(join(cluster, 'postmaster.pid'))
  for (const [name, content] of [
    ['backup_label', rows[0]!.labelfile],
    ['standby.signal', ''],
  ] as const) {
    await writeFile(join(cluster, name), content)
    if (account) await chown(join(cluster, name), account.uid, account.gid)
  }

  const url = new URL(primaryUrl)
  const { hostname, port, username, password } = url
  url.port = String(await freePort())
  await configure(folder, Number(url.port), {
    primary_conninfo: `host=${hostname} port=${port} user=${username} password=${password}`,
  })
  const run = await serverPrograms(folder, account)
  const start = async () => {
    await run('pg_ctl', 'start', '--pgdata', cluster, '--log', log, '--wait')
  }
  await start()

  await client.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`)
  await client.query('SELECT pg_reload_conf()')
  await until(
    async () => (await client.query('SELECT sync_state FROM pg_stat_replication')).rows,
    ([replica]) => replica?.sync_state === 'sync',
  )
  await client.end()
  return {
    url: url.href,
    promote: async () => void (await query(url.href, 'SELECT pg_promote()')),
    interrupt: async () => {
      await run('pg_ctl', 'stop', '--pgdata', cluster, '--mode', 'immediate', '--wait')
      return start
    },
    stop: async () => {
      // An interrupted one runs no more.
      await run('pg_ctl', 'stop', '--pgdata', cluster, '--mode', 'immediate', '--wait').catch(() => {})
      await home.remove()
    },
  }
}

/** Stops the process first that starts all others, so that it misses none. */
async function frozenProcesses(cluster: string, url: string): Promise<readonly number[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const [first] = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(first), 'SIGSTOP')
  const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity')
  const processIds = [Number(first), ...rows.map(({ pid }) => pid)]
  for (const processId of processIds) process.kill(processId, 'SIGSTOP')
  return processIds
}
