import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { migrateEmbeddedDatabase } from '../../src/adapters/persistence-prisma/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/adapters/postgres-embedded/embedded-postgres.ts'
import { serverFiles } from '../../src/adapters/postgres-embedded/running-server.ts'
import { serverAccount } from '../../src/adapters/postgres-embedded/server-account.ts'
import { serverPrograms } from '../../src/adapters/postgres-embedded/server-programs.ts'
import { createDataDir } from '../journeys/service-process.ts'

/** A PostgreSQL that a test may treat as it likes: as durable as it comes, with every migration applied. */
export interface OwnServer {
  readonly folder: string
  readonly url: string
  /** Crashes the server and starts it again: it recovers from its log. */
  restart(): Promise<void>
  /** Stops all its processes where they are. Returns what lets them go on. */
  freeze(): Promise<() => void>
  /** Ends all its processes where they are. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startOwnServer(): Promise<OwnServer> {
  const home = await createDataDir()
  const folder = join(home.path, 'postgres')
  const server = await startEmbeddedPostgres({ folder })
  await migrateEmbeddedDatabase(server.url)

  const { cluster, log } = serverFiles(folder)
  const run = await serverPrograms(folder, await serverAccount())
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
    stop: async () => {
      await server.stop()
      await home.remove()
    },
  }
}

/** Stops first the process that starts all others, so that none is missed. */
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
