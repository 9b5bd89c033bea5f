import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { findRunningServer } from '../../src/development/postgres/running-server.ts'
import { until } from '../../test/journeys/client.ts'
import { createDataDir } from '../../test/journeys/service-process.ts'
import { createTestDatabase } from '../../test/support/database.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFile(join(PROJECT, path), 'utf8')

/** A service behind the program that a person or a platform starts, with all processes in one group. */
interface Launched {
  readonly launcher: ChildProcess
  readonly ports: readonly number[]
  output(): string
  /** Sends the signal to the launcher only, as `kill` does, or to all processes, as Ctrl-C does. */
  signal(signal: NodeJS.Signals, to: 'launcher' | 'group'): void
}

async function launch(
  t: ExecutionContext,
  [program, ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<Launched> {
  const dataDir = await createDataDir()
  const launcher = spawn(program!, args, {
    cwd: program === 'npx' ? await createInstallation(dataDir.path) : PROJECT,
    // Without the variables of the npm that runs these tests.
    env: {
      PATH: process.env.PATH,
      HOME: dataDir.path,
      LOG_LEVEL: 'info',
      ...{ PORT: '0', MANAGEMENT_PORT: '0', DATA_DIR: dataDir.path, ...env },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [launcher.stdout!, launcher.stderr!]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  t.teardown(async () => {
    if (hasProcesses(launcher)) process.kill(-launcher.pid!, 'SIGKILL')
    await dataDir.remove()
  })
  const delivers = args.includes('deliver')
  // A supervisor says that its metrics are ready before its workers are.
  const expected = delivers ? 1 : Number(env.WORKERS ?? 1) + 1
  const urls = await until(
    async () => {
      if (launcher.exitCode !== null)
        throw new Error(`the launcher ended with ${launcher.exitCode}: ${output}`)
      return [...output.matchAll(/url"?: ?"(http[^"]+)"/g)].map(([, url]) => new URL(url!))
    },
    (found) => found.length >= expected,
  )
  return {
    launcher,
    ports: [...new Set(urls.map(({ port }) => Number(port)))],
    output: () => output,
    signal: (signal, to) => process.kill(to === 'group' ? -launcher.pid! : launcher.pid!, signal),
  }
}

/** A folder in which npm has installed the package of the service. */
async function createInstallation(parent: string): Promise<string> {
  const folder = join(parent, 'installation')
  const bin = join(folder, 'node_modules', '.bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{}')
  await symlink(join(PROJECT, 'bin', 'countersign.mjs'), join(bin, 'countersign'))
  return folder
}

/** Whether any process of the group lives, an orphan included. */
function hasProcesses({ pid }: ChildProcess): boolean {
  try {
    return process.kill(-pid!, 0)
  } catch {
    return false
  }
}

async function isListening(port: number): Promise<boolean> {
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

async function assertGone(t: ExecutionContext, { launcher, ports, output }: Launched): Promise<void> {
  await until(
    async () => hasProcesses(launcher),
    (alive) => !alive,
  )
  t.true(ports.length > 0)
  for (const port of ports) t.false(await isListening(port), `port ${port}`)
  t.regex(output(), /finished"?: ?true/, output())
}

/** The words of a command line of a file that starts the service. */
const wordsOf = async (file: string, line: RegExp) => line.exec(await read(file))![1]!

const UNIT = await wordsOf('deploy/systemd/countersign.service', /^ExecStart=(.+)$/m)
const ENTRYPOINT = JSON.parse(await wordsOf('Dockerfile', /^ENTRYPOINT (\[.+\])$/m)) as string[]

const NPM: readonly (readonly string[])[] = [
  ['npm', 'start'],
  ['npm', 'run', 'deliver'],
  ['sh', '-c', 'exec npm start'],
]
const NPX: readonly (readonly string[])[] = [
  ['npx', 'countersign', 'serve'],
  ['npx', 'countersign', 'deliver'],
]
const NODE: readonly (readonly string[])[] = [
  ['node', 'bin/countersign.mjs', 'serve'],
  UNIT.split(' '),
  ENTRYPOINT,
]

for (const launcher of [...NPM, ...NPX, ...NODE]) {
  for (const workers of launcher.includes('deliver') ? ['1'] : ['1', '2']) {
    test.serial(
      `SIGTERM to "${launcher.join(' ')}" with WORKERS=${workers} ends every process and frees the ports`,
      async (t) => {
        const { url } = await createTestDatabase()
        const launched = await launch(t, launcher, { DATABASE_URL: url, WORKERS: workers })

        launched.signal('SIGTERM', 'launcher')

        await assertGone(t, launched)
      },
    )
  }
}

for (const launcher of NPM) {
  test.serial(`SIGINT to "${launcher.join(' ')}" ends every process and frees the ports`, async (t) => {
    const { url } = await createTestDatabase()
    const launched = await launch(t, launcher, { DATABASE_URL: url })

    launched.signal('SIGINT', 'launcher')

    await assertGone(t, launched)
  })
}

for (const launcher of [...NPM, ...NPX]) {
  test.serial(
    `Ctrl-C at "${launcher.join(' ')}" lets the service finish, although the signal may come twice`,
    async (t) => {
      const { url } = await createTestDatabase()
      const launched = await launch(t, launcher, { DATABASE_URL: url })

      launched.signal('SIGINT', 'group')

      await assertGone(t, launched)
    },
  )
}

test.serial('SIGTERM to "npm start" ends the embedded database too', async (t) => {
  const home = await createDataDir()
  t.teardown(home.remove)
  const launched = await launch(t, ['npm', 'start'], { DATA_DIR: home.path })

  launched.signal('SIGTERM', 'launcher')

  await assertGone(t, launched)
  t.is(findRunningServer(join(home.path, 'postgres')), undefined)
})

test.serial('"npm start" ends after the service, so that the next one may start then', async (t) => {
  const { url } = await createTestDatabase()
  const launched = await launch(t, ['npm', 'start'], { DATABASE_URL: url })

  launched.signal('SIGTERM', 'launcher')
  await once(launched.launcher, 'exit')

  for (const port of launched.ports) t.false(await isListening(port), `port ${port}`)
  t.regex(launched.output(), /stopped/)
})

test.serial('a service that npm started ends when npm is killed', async (t) => {
  const { url } = await createTestDatabase()
  const launched = await launch(t, ['npm', 'start'], { DATABASE_URL: url })

  launched.signal('SIGKILL', 'launcher')

  await assertGone(t, launched)
})

test.serial('a service outlives the shell that started it without npm', async (t) => {
  const { url } = await createTestDatabase()
  const launched = await launch(t, ['sh', '-c', 'node bin/service.mjs & wait'], { DATABASE_URL: url })

  launched.signal('SIGKILL', 'launcher')
  await once(launched.launcher, 'exit')
  // Longer than the service would take to notice.
  await new Promise((resolve) => setTimeout(resolve, 600))

  for (const port of launched.ports) t.true(await isListening(port), `port ${port}`)
})

test.serial(
  'every script that runs a program replaces the shell, so that npm passes signals to the program',
  async (t) => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
    const last = Object.entries(scripts).map(([name, script]) => [name, script.split('&&').at(-1)!.trim()])

    t.deepEqual(
      last.filter(([, command]) => /^node /.test(command!)),
      [],
    )
  },
)
