import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { configure, createCluster, type ServerSettings } from './cluster.ts'
import { joinFolderUsers, leaveFolderUsers } from './folder-users.ts'
import { freePort } from './free-port.ts'
import { ensureOsAccount, type OsAccount, outermostBarredFolder } from './os-account.ts'
import { restartWhenEnded } from './restart-watch.ts'
import { findRunningServer, type RunningServer, serverFiles } from './running-server.ts'
import { type RunProgram, serverPrograms } from './server-programs.ts'

export interface EmbeddedPostgresOptions {
  /** Used by the server only. Created if missing, and kept for the next start. */
  readonly folder: string
  /** Parameters of postgresql.conf. By default, the server is as durable as PostgreSQL is. */
  readonly settings?: ServerSettings
  /** Whether to restart the server if it ends before `stop` is called. */
  readonly keepRunning?: boolean
}

export interface EmbeddedPostgres {
  readonly url: string
  /** Stops using the server. If no other process uses it, the server stops and cuts off its sessions. */
  stop(): Promise<void>
}

const START_TIMEOUT_IN_MS = 60_000
const POLL_INTERVAL_IN_MS = 20
/** Another process may take the port after it was chosen and before it is used. */
const MAX_ATTEMPTS = 3

/**
 * Starts a PostgreSQL for development and tests, or uses the server that already runs in the folder: that of another process, or of
 * one that was killed. The server has a session of its own, so Ctrl-C in the terminal does not reach it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder)
  const settings = options.settings ?? {}
  await mkdir(dirname(folder), { recursive: true })

  const account = await ensureOsAccount()
  if (account) await assertEnterable(dirname(folder), account)
  const run = await serverPrograms(folder, account)
  await createCluster(folder, settings, run, account)

  await joinFolderUsers(folder)
  try {
    const { url } = await startOrJoin(folder, settings, run)
    const endWatch = options.keepRunning ? restartWhenEnded(folder, run) : async () => {}
    let leaving: Promise<void> | undefined
    return {
      url,
      stop() {
        leaving ??= endWatch().then(() => leave(folder, run))
        return leaving
      },
    }
  } catch (error) {
    await leaveFolderUsers(folder)
    throw error
  }
}

async function startOrJoin(
  folder: string,
  settings: ServerSettings,
  run: RunProgram,
): Promise<RunningServer> {
  const { cluster, log } = serverFiles(folder)
  let failure: unknown
  for (let attempt = 0; ; attempt++) {
    const server = await settledServer(folder)
    if (server) return server
    if (attempt === MAX_ATTEMPTS) {
      const lastLines = (await readFile(log, 'utf8')).split('\n').slice(-10).join('\n')
      throw new Error(`PostgreSQL does not start:\n${lastLines}`, { cause: failure })
    }
    await configure(folder, await freePort(), settings)
    try {
      await run('pg_ctl', 'start', '--pgdata', cluster, '--log', log, '--wait')
    } catch (error) {
      // If two processes start the server together, the later one fails and then finds the server of the other.
      failure = error
    }
  }
}

/** Waits until the server in the folder is ready, or until none runs (undefined). */
async function settledServer(folder: string): Promise<RunningServer | undefined> {
  const deadline = performance.now() + START_TIMEOUT_IN_MS
  let server = findRunningServer(folder)
  while (server && !server.ready && performance.now() < deadline) {
    await wait(POLL_INTERVAL_IN_MS)
    server = findRunningServer(folder)
  }
  return server?.ready && (await listens(server.port)) ? server : undefined
}

async function leave(folder: string, run: RunProgram): Promise<void> {
  const last = await leaveFolderUsers(folder)
  if (!last || !findRunningServer(folder)) return
  await run('pg_ctl', 'stop', '--pgdata', serverFiles(folder).cluster, '--mode', 'fast', '--wait')
}

async function assertEnterable(folder: string, account: OsAccount): Promise<void> {
  const barred = await outermostBarredFolder(account, folder)
  if (barred === undefined) return
  throw new Error(
    `PostgreSQL does not run as root, and the account "postgres" may not enter ${barred}: ` +
      `run chmod o+x ${barred}, or set DATA_DIR to a folder that every account may enter.`,
  )
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
