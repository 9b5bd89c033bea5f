import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { findRunningServer } from '../../src/development/postgres/running-server.ts'
import { until } from '../journeys/client.ts'
import { query } from '../support/database.ts'

const MODULE = import.meta.resolve('../../src/development/postgres/embedded-postgres.ts')
const SETTINGS = { fsync: 'off' }
const TICK = new Int32Array(new SharedArrayBuffer(4))

test('data outlives a stop and a start', async (t) => {
  const { folder } = await dataFolder(t)

  const first = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  const second = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  t.teardown(second.stop)

  t.deepEqual(await query(second.url, 'SELECT * FROM kept'), [{ answer: 42 }])
})

test('a server listens where no outgoing connection can be in its way when it comes back', async (t) => {
  const { folder } = await dataFolder(t)

  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  t.teardown(stop)

  const port = Number(new URL(url).port)
  t.true(port >= 20_000 && port < 30_000, `${port}`)
})

test('a server is found while it runs', async (t) => {
  const { folder } = await dataFolder(t)

  const before = findRunningServer(folder)
  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  const meanwhile = findRunningServer(folder)
  await stop()
  const after = findRunningServer(folder)

  t.is(before, undefined)
  t.like(meanwhile, { url, ready: true })
  t.is(after, undefined)
})

test('a server keeps what is committed, unless it is told otherwise', async (t) => {
  const { folder } = await dataFolder(t)

  const { url, stop } = await startEmbeddedPostgres({ folder })
  t.teardown(stop)

  t.deepEqual(await query(url, 'SHOW fsync'), [{ fsync: 'on' }])
  t.deepEqual(await query(url, 'SHOW synchronous_commit'), [{ synchronous_commit: 'on' }])
})

test('a server asks for its password', async (t) => {
  const { folder } = await dataFolder(t)
  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  t.teardown(stop)
  const wrong = new URL(url)
  wrong.password = 'guessed'

  await t.throwsAsync(query(wrong.href, 'SELECT 1'), { code: '28P01' })
})

test('a server survives the death of the process group that started it, and is taken over', async (t) => {
  const { folder } = await dataFolder(t)
  const killed = await startInAnotherProcess(t, folder)
  await query(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer')

  await killed.end()
  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  const kept = await query(url, 'SELECT * FROM kept')
  await stop()

  t.is(url, killed.url)
  t.deepEqual(kept, [{ answer: 42 }])
  t.is(findRunningServer(folder), undefined)
})

test('a server that another process uses is used and left running', async (t) => {
  const { folder } = await dataFolder(t)
  const other = await startInAnotherProcess(t, folder)

  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  await stop()

  t.is(url, other.url)
  t.deepEqual(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
})

test('processes that start together on a new folder share a server', async (t) => {
  const { folder } = await dataFolder(t)

  const started = await Promise.all([1, 2, 3].map(() => startInAnotherProcess(t, folder)))

  t.is(new Set(started.map(({ url }) => url)).size, 1)
  t.deepEqual(await query(started[0]!.url, 'SELECT 1 AS one'), [{ one: 1 }])
})

test('a cluster whose making was cut off is made anew', async (t) => {
  const { folder, parent } = await dataFolder(t)
  const child = spawnStart(t, folder)
  const half = join(`${folder}.draft-${child.pid}`, 'cluster', 'PG_VERSION')
  // The thread waits, and not its event loop: other tests hold that up for longer than a cluster takes to be made.
  const giveUpAt = performance.now() + 20_000
  while (!existsSync(half) && !existsSync(folder) && performance.now() < giveUpAt) Atomics.wait(TICK, 0, 0, 1)
  t.true(existsSync(half), 'the making of the cluster was not seen, so nothing cut it off')

  // Alone: what it has started goes on for a moment.
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS })
  t.teardown(stop)

  t.deepEqual(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
  t.deepEqual(await readdir(parent), ['postgres'])
})

test('a server that is to be kept running and is killed comes back where it was, until it is left', async (t) => {
  const { folder } = await dataFolder(t)
  const { url, stop } = await startEmbeddedPostgres({ folder, settings: SETTINGS, keepRunning: true })
  t.teardown(stop)
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')

  const lockFile = await readFile(join(folder, 'cluster', 'postmaster.pid'), 'utf8')
  process.kill(Number(lockFile.split('\n')[0]), 'SIGKILL')

  const kept = await until(
    () => query(url, 'SELECT * FROM kept').catch(() => []),
    (rows) => rows.length > 0,
  )
  t.deepEqual(kept, [{ answer: 42 }])
  await stop()
  t.is(findRunningServer(folder), undefined)
})

const asRoot = process.getuid?.() === 0 ? test : test.skip

asRoot('a folder that the server may not enter is named, and what to do', async (t) => {
  const { parent } = await dataFolder(t)
  const barred = join(parent, 'barred')
  await mkdir(join(barred, 'data'), { recursive: true })
  await chmod(barred, 0o700)

  const error = await t.throwsAsync(startEmbeddedPostgres({ folder: join(barred, 'data', 'postgres') }))

  t.true(error.message.includes(`may not enter ${barred}:`), error.message)
  t.true(error.message.includes(`chmod o+x ${barred}, or set DATA_DIR`), error.message)
})

/** A folder for a server, in one that is removed with whatever runs in it. */
async function dataFolder(t: ExecutionContext) {
  const parent = await mkdtemp(join(tmpdir(), 'countersign-embedded-'))
  await chmod(parent, 0o755)
  const folder = join(parent, 'postgres')
  t.teardown(async () => {
    if (existsSync(folder)) await (await startEmbeddedPostgres({ folder, settings: SETTINGS })).stop()
    await rm(parent, { recursive: true, force: true })
  })
  return { parent, folder }
}

/** A process that starts the server and then lives until `end` kills it, with its process group, as kill -9 does. */
async function startInAnotherProcess(t: ExecutionContext, folder: string) {
  const child = spawnStart(t, folder)
  const started = once(child.stdout!.setEncoding('utf8'), 'data')
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process ended before the server ran')
  })
  const [url] = (await Promise.race([started, ended])) as [string]
  return { url, end: () => endGroup(child) }
}

function spawnStart(t: ExecutionContext, folder: string): ChildProcess {
  const options = JSON.stringify({ folder, settings: SETTINGS })
  const program = `
    const { startEmbeddedPostgres } = await import('${MODULE}')
    process.stdout.write((await startEmbeddedPostgres(${options})).url)
    setInterval(() => {}, 60_000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => endGroup(child))
  return child
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.signalCode !== null) return
  const exit = once(child, 'exit')
  process.kill(-child.pid!, 'SIGKILL')
  await exit
}
