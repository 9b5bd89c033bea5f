import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../src/development/postgres/free-port.ts'

const PROGRAM = 'pgbouncer'
/** Debian puts PgBouncer where only root's PATH leads. */
const PATH = [process.env.PATH, '/usr/sbin'].join(delimiter)
/** Debian's `nobody`, because PgBouncer refuses to run as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Whether PgBouncer is installed: `apt-get install pgbouncer`. */
export const hasPgBouncer = spawnSync(PROGRAM, ['--version'], { env: { PATH } }).status === 0

export type PgBouncerSettings = Readonly<Record<string, string | number>>

export interface PgBouncer {
  readonly url: string
  /** Restarts it with other settings, at the same address. */
  configure(settings: PgBouncerSettings): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts PgBouncer in front of the database of the URL, with its defaults and these settings. By default it asks clients for no
 * password. The setting `server` replaces how it connects to the server.
 */
export async function startPgBouncer(url: string, settings: PgBouncerSettings): Promise<PgBouncer> {
  const { hostname, port: serverPort, username, password, pathname } = new URL(url)
  const database = pathname.slice(1)
  const folder = await mkdtemp(join(tmpdir(), 'countersign-pgbouncer-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const users = join(folder, 'users.txt')

  const write = ({
    server = `host=${hostname} port=${serverPort} dbname=${database}`,
    ...own
  }: PgBouncerSettings) => {
    const all = {
      ...{ listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '', logfile: '' },
      ...{ auth_type: 'trust', auth_file: users },
      ...own,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
    return writeFile(file, `[databases]\n${database} = ${server}\n[pgbouncer]\n${lines.join('\n')}\n`)
  }
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`)
  await write(settings)
  let child = await start(file, port)
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // SIGINT would wait for transactions.
    child.kill('SIGTERM')
    await ended
  }

  const pooled = new URL(url)
  pooled.host = `127.0.0.1:${port}`
  return {
    url: pooled.href,
    configure: async (others) => {
      await stop()
      await write(others)
      child = await start(file, port)
    },
    stop: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function start(file: string, port: number) {
  const child = spawn(PROGRAM, ['-q', file], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...NOBODY,
  })
  let output = ''
  child.stderr!.on('data', (chunk) => {
    output += chunk
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}: ${output}`)
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return child
    } catch {
      await wait(20)
    } finally {
      socket.destroy()
    }
  }
}
