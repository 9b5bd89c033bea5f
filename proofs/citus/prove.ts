import { exec, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify, stripVTControlCharacters } from 'node:util'
import { v7 } from 'uuid'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { urlOnServer } from '../../src/adapters/persistence-prisma/sharding/servers.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { bucketOf, idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { POLICY, TRANSFER } from '../../test/domain/examples.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'
import { SEALS } from '../../test/support/seals.ts'
import { Tally } from '../../test/support/tally.ts'
import { contend } from '../contention/contention.ts'
import { figure } from '../statistics.ts'
import { Cluster, query } from './cluster.ts'
import { controls } from './controls.ts'
import { Load, lastRefusal, seen } from './load.ts'
import { executionsIn, type Routes, routesOf } from './remote-commands.ts'
import { HOT_STATEMENTS, SUITES } from './scope.ts'

/*
 * `npm run citus:prove -- --coordinator <url>`: runs the service on a Citus that is there. The URL leads to a database of the coordinator in
 * which all nodes are known, as a role that may create databases on each of them. The proof makes databases of its own, and removes them.
 * With `--stop-worker <command> --start-worker <command>` it also kills a worker under load, by these commands of a shell. `--only` names
 * parts. The last line says `N passed, N failed`, and the proof exits with 1 if anything failed.
 */

const { values } = parseArgs({
  options: {
    coordinator: { type: 'string' },
    'stop-worker': { type: 'string' },
    'start-worker': { type: 'string' },
    users: { type: 'string', default: '6' },
    only: { type: 'string' },
  },
})
if (values.coordinator === undefined) throw new Error('--coordinator <url> is missing')

const AVA = fileURLToPath(new URL('cli.mjs', import.meta.resolve('ava')))
const WATCH = new URL('watch-statements.ts', import.meta.url).href
const CLI = fileURLToPath(new URL('../../src/command-line/cli.ts', import.meta.url))
/** How long users confirm payments before, during and after each trouble. */
const BREATH_IN_MS = 5000
/** Over all shards. */
const OPENED_LONG_AGO = 100
/** After a move, the processes learn within this time where the shard is. */
const LEARNED_IN_MS = 15_000
/** How long a worker is away. */
const AWAY_IN_MS = 8000

const say = (line: string) => void process.stdout.write(`${line}\n`)
const lines: [verdict: 'passed' | 'failed' | 'skipped', part: string, detail: string][] = []
const report = (verdict: (typeof lines)[number][0], part: string, detail: string) => {
  lines.push([verdict, part, detail])
  say(`${{ passed: '✔', failed: '✘', skipped: '-' }[verdict]} ${part}: ${detail}`)
}
const isMeant = (part: string) => values.only === undefined || values.only.split(',').includes(part)
const since = (start: number) => `${figure((performance.now() - start) / 1000)} s`

/** When a shard moved, until each process had learned it. */
const moved: { readonly from: number; readonly to: number }[] = []
const folder = await mkdtemp(join(tmpdir(), 'countersign-citus-'))
const cluster = await Cluster.at(values.coordinator)
try {
  await prove()
} finally {
  await cluster.drop('all')
  await rm(folder, { recursive: true, force: true })
}
const count = (verdict: string) => lines.filter(([each]) => each === verdict).length
say(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
process.exitCode = count('failed') > 0 || count('passed') === 0 ? 1 : 0

async function prove(): Promise<void> {
  say(`${cluster.version}, ${cluster.nodes.length} nodes`)
  const start = performance.now()
  await cluster.layTemplate()
  report('passed', 'set-up', `migrated and distributed in ${since(start)}`)

  if (isMeant('controls')) await proveControls()
  if (isMeant('existing')) await distributeExisting()
  const ofSuites = await watched('suites')
  if (isMeant('suites')) for (const suite of SUITES) await runSuite(suite, ofSuites)
  const ofService = await watched('service')
  if (isMeant('races')) await race(ofSuites)
  if (isMeant('moves')) await raceWhileShardsMove()
  if (isMeant('service')) await runService(ofService)
  if (values.only === undefined) await judgeHotStatements(ofSuites, ofService)
}

/** A database with rows from before is distributed, and the service goes on with them. */
async function distributeExisting(): Promise<void> {
  const start = performance.now()
  const now = new Date()
  const old = Array.from({ length: 40 }, (_, n) => demandOf(`existing-${n}`, now))
  const url = await cluster.distributeExisting('existing', (before) =>
    inStore(before, 'none', async (stepUps) => {
      for (const each of old) await open(stepUps, each, now)
    }),
  )
  const lost = await inStore(cluster.asService(url), 'citus', async (stepUps) => {
    const loaded = await Promise.all(old.map(({ id }) => stepUps.load(id)))
    const repeated = await Promise.all(old.map((each) => open(stepUps, each, now)))
    const added = await open(stepUps, demandOf('added', now), now)
    const isLost = (n: number) => loaded[n]?.challenge.id !== old[n]!.id || repeated[n]!.created
    return [...old.filter((_, n) => isLost(n)), ...(added.created ? [] : ['a new one'])]
  })
  report(
    lost.length === 0 ? 'passed' : 'failed',
    'an existing database',
    `distributed with its rows in ${since(start)}, ${lost.length} of ${old.length} challenges lost`,
  )
  const granted = await cluster.rightsOfEverybody(url)
  report(
    granted.length === 0 ? 'passed' : 'failed',
    'least rights',
    `everybody has ${granted.length === 0 ? 'none on any server' : granted.join(', ')}`,
  )
  const forked = await forkChain(url, old[0]!.subjectUserId)
  report(/bucket is that of another/.test(forked) ? 'passed' : 'failed', 'an event in another shard', forked)
}

/** Tries what the service must not: to begin a second chain of a subject, in a shard of another bucket. Says what the server answered. */
async function forkChain(url: string, subject: string): Promise<string> {
  const [other] = await query<{ shard: string; host: string; port: number }>(
    url,
    `SELECT shardid::text AS shard, nodename AS host, nodeport AS port FROM citus_shards
     WHERE table_name = 'challenge_events'::regclass
       AND shardid <> get_shard_id_for_distribution_column('challenge_events', $1::integer)`,
    [bucketOf(subject)],
  )
  const on = new URL(urlOnServer(other!, cluster.asService(url)))
  on.searchParams.set('options', '-c citus.enable_manual_changes_to_shards=on')
  return query(
    on.href,
    `INSERT INTO challenge_events_${other!.shard} (bucket, subject_user_id, type, occurred_at, actor, details)
     VALUES ($1, $2, 'challenge-opened', now(), 'client:payments', '{}')`,
    [bucketOf(subject), subject],
  ).then(
    () => 'was stored',
    (error: unknown) => `was refused: ${error instanceof Error ? error.message : error}`,
  )
}

async function watched(name: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  return path
}

/** What makes a process note its statements. */
function watching(statementsSeen: string) {
  return { NODE_OPTIONS: `--import=${WATCH}`, STATEMENTS_SEEN: statementsSeen }
}

async function proveControls(): Promise<void> {
  const url = await cluster.createDatabase('controls')
  const judged = await controls(url, await cluster.rangesOf(url), await watched('controls'), WATCH)
  for (const { what, expected, verdict } of judged) {
    report(expected.test(verdict) ? 'passed' : 'failed', `the reader of remote commands: ${what}`, verdict)
  }
}

/** Runs one test file of the project, whose databases are copies of the template. */
async function runSuite({ file, without }: (typeof SUITES)[number], statementsSeen: string): Promise<void> {
  const start = performance.now()
  const [coordinator, ...workers] = cluster.nodes.map(({ url }) => url) as [string, ...string[]]
  const excluded = Object.keys(without).flatMap((title) => ['--match', `!${title}`])
  const ava = spawn(
    process.execPath,
    [AVA, '--serial', '--concurrency=1', '--timeout=5m', ...excluded, file],
    {
      env: {
        ...process.env,
        ...watching(statementsSeen),
        TEST_DATABASE_SERVER: coordinator,
        TEST_DATABASE_WORKERS: workers.join(' '),
        TEST_DATABASE_TEMPLATE: cluster.template,
        TEST_DATABASE_PREFIX: `${cluster.template}_`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const tally = new Tally()
  const output: string[] = []
  createInterface({ input: ava.stdout }).on('line', (line) => {
    const plain = stripVTControlCharacters(line)
    const { failed } = tally
    tally.count(plain)
    if (tally.failed > failed) say(`  | ${plain.trim()}`)
    output.push(plain)
  })
  const [status] = await once(ava, 'close')
  // Their room is wanted. What a daemon of Citus holds on to goes at the end.
  await cluster.drop('of test files').catch(() => {})
  const isGreen = status === 0 && tally.failed === 0
  if (!isGreen) for (const line of output) say(`  | ${line}`)
  const name = file.replace(/^.*\//, '').replace('.test.ts', '')
  report(
    isGreen ? 'passed' : 'failed',
    name,
    `${tally.passed} tests passed, ${tally.failed} failed in ${since(start)}`,
  )
  for (const [title, reason] of Object.entries(without)) report('skipped', `${name}: ${title}`, reason)
}

/** Three processes decide about the same few subjects. */
async function race(statementsSeen: string): Promise<void> {
  const databaseUrl = cluster.asService(await cluster.createDatabase('races'))
  const { violations, decisions, lostRaces, seconds } = await contend({
    ...{ databaseUrl, sharding: 'citus', env: watching(statementsSeen) },
    ...{ processes: 3, callers: 16, decisions: 1500, subjects: 20 },
  })
  for (const violation of violations.slice(0, 20)) say(`  | ${violation}`)
  report(
    violations.length === 0 && lostRaces > 0 ? 'passed' : 'failed',
    'races of three processes',
    `${decisions} decisions in ${figure(seconds)} s, ${lostRaces} lost races, ${violations.length} violations`,
  )
}

/** The same while one shard after the other moves. A write to a shard that has left would be confirmed, and lost. */
async function raceWhileShardsMove(): Promise<void> {
  const url = await cluster.createDatabase('moves')
  const databaseUrl = cluster.asService(url)
  let isOver = false
  let moves = 0
  const racing = contend({
    ...{ databaseUrl, sharding: 'citus', env: { SHARDS_MOVE: 'true' } },
    ...{ processes: 3, callers: 16, decisions: 24_000, subjects: 60 },
  }).finally(() => {
    isOver = true
  })
  const moving = async () => {
    // The races begin when their tables have rows.
    await wait(BREATH_IN_MS)
    for (; !isOver; moves += 2) await moveShard(url, moves / 2)
  }
  const [{ violations, decisions, gaveUp, seconds }] = await Promise.all([racing, moving()])
  for (const violation of violations.slice(0, 20)) say(`  | ${violation}`)
  report(
    violations.length === 0 && moves > 2 ? 'passed' : 'failed',
    'races while shards move',
    `${decisions} decisions in ${figure(seconds)} s, ${moves} moves, ${gaveUp} calls gave up, ${violations.length} violations`,
  )
}

/** Three processes under load: keys rotate, a shard moves, a purge runs, and a worker is killed. */
async function runService(statementsSeen: string): Promise<void> {
  const url = await cluster.createDatabase('service')
  const databaseUrl = cluster.asService(url)
  const dataDir = await createDataDir()
  const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
  let keys = { otp: [newKey('k1')], signing: [newKey('s1')] }
  const startOne = () =>
    startProcess({
      ...watching(statementsSeen),
      DATABASE_URL: databaseUrl,
      DATABASE_SHARDING: 'citus',
      DATA_DIR: dataDir.path,
      LOG_LEVEL: 'warn',
      OTP_KEYS: keys.otp.join(','),
      SIGNING_KEYS: keys.signing.join(','),
    })
  const services = await Promise.all([startOne(), startOne(), startOne()])
  const logs: string[] = []
  const load = new Load(
    services.map((service) => service.url),
    Number(values.users),
  )
  try {
    await wait(BREATH_IN_MS)
    const restartAll = async () => {
      for (const [n, old] of services.entries()) {
        await load.without(old.url)
        await end(old)
        const next = await startOne()
        services[n] = next
        load.with(next.url)
      }
    }
    const end = async (service: ServiceProcess) => {
      const code = await service.end()
      if (code !== 0) logs.push(`a process ended with ${code}`)
      logs.push(...(service.output().match(/^.*(?:"level":60|FATAL).*$/gm) ?? []))
    }

    await during('key rotation', load, async () => {
      const [otp, signing] = [newKey('k2'), newKey('s2')]
      keys = { otp: [...keys.otp, otp], signing: [...keys.signing, signing] }
      await restartAll()
      keys = { otp: keys.otp.toReversed(), signing: keys.signing.toReversed() }
      await restartAll()
      return 'all processes learned new keys, then used them'
    })
    await openLongAgo(databaseUrl)
    await during('purge', load, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'purge', '--json'], {
        env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, DATABASE_SHARDING: 'citus' },
      })
      const purged = JSON.parse(stdout) as { readonly challenges: number; readonly events: number }
      if (purged.challenges !== OPENED_LONG_AGO)
        throw new Error(`${purged.challenges} challenges were purged`)
      return `${purged.challenges} challenges`
    })
    const from = Date.now()
    await during('shard move', load, () => moveShard(url))
    moved.push({ from, to: Date.now() + LEARNED_IN_MS })
    await killWorker(load)

    await load.end()
    const broken = await load.broken()
    const what = `${load.challenges} challenges, ${load.journeys} of them to the end`
    for (const each of broken) say(`  | ${each}`)
    report(
      broken.length + load.problems.length === 0 ? 'passed' : 'failed',
      'nothing that was answered is lost',
      `${what}, ${broken.length} answers broken, ${load.problems.length} other problems`,
    )
    for (const service of services) await end(service)
    for (const line of logs) say(`  | ${line.slice(0, 500)}`)
    report(logs.length === 0 ? 'passed' : 'failed', 'no process ends by itself', `${logs.length} did`)
  } finally {
    await load.end().catch(() => {})
    for (const service of services) await service.end('SIGKILL')
    await dataDir.remove()
  }
}

/** Stores challenges whose retention is over. */
async function openLongAgo(url: string): Promise<void> {
  await inStore(url, 'citus', async (stepUps) => {
    for (let n = 0; n < OPENED_LONG_AGO; n++) {
      const at = new Date(Date.UTC(2021, 0, 1) + n * 1000)
      await open(stepUps, demandOf(`former-${n}`, at), at)
    }
  })
}

function demandOf(subjectUserId: string, at: Date) {
  const id = idInBucketOf(subjectUserId, v7({ msecs: at.getTime() }))
  return { id, clientId: 'payments', subjectUserId, operation: TRANSFER }
}

/** Opens the challenge of a demand. The key is its subject. */
function open(stepUps: PrismaStepUps, demand: ReturnType<typeof demandOf>, at: Date) {
  const [challenge, event] = Challenge.open(demand, POLICY, at)
  const idempotency = { key: demand.subjectUserId, fingerprint: 'f' }
  return stepUps.open(challenge, event, idempotency, { actor: 'client:payments' })
}

async function inStore<Result>(
  url: string,
  sharding: 'none' | 'citus',
  work: (stepUps: PrismaStepUps) => Promise<Result>,
): Promise<Result> {
  const { statements, close } = connectPrisma({ url, sharding, onConnectionLost: () => {} })
  try {
    return await work(new PrismaStepUps(statements, SEALS))
  } finally {
    await close()
  }
}

/** Does something under load. It passes if it succeeds, if no call was refused from its begin on, and if the load goes on after it. */
async function during(what: string, load: Load, act: () => Promise<string | undefined>): Promise<void> {
  const start = performance.now()
  const before = load.problems.length
  const done = await act().then(
    (detail) => ({ detail: detail ?? '' }),
    (error: unknown) => ({ error: String(error) }),
  )
  const end = performance.now()
  await wait(BREATH_IN_MS)
  const isRight = !('error' in done) && load.problems.length === before && goesOn(load, end)
  for (const problem of load.problems.slice(before)) say(`  | ${problem}`)
  const users = `users got ${seen(load, start, end)}`
  const detail = 'error' in done ? done.error : done.detail
  report(
    isRight ? 'passed' : 'failed',
    what,
    [`${figure((end - start) / 1000)} s`, detail, users].filter(Boolean).join('; '),
  )
}

function goesOn({ answers }: Load, after: number): boolean {
  return answers.some(({ at, status }) => at > after && status >= 200 && status < 300)
}

/** Moves a shard, with all that are cut alike, to another node and back. `nth` counts around. */
async function moveShard(url: string, nth = 0): Promise<string> {
  const placed = () =>
    query<{ shard: string; host: string; port: number }>(
      url,
      `SELECT shardid::text AS shard, nodename AS host, nodeport AS port
       FROM citus_shards WHERE table_name = 'challenges'::regclass ORDER BY shardid`,
    )
  const shards = await placed()
  const from = shards[nth % shards.length]!
  const to = cluster.nodes.find(
    ({ host, port, hasShards }) => hasShards && (host !== from.host || port !== from.port),
  )
  if (!to) throw new Error('There is one node with shards only')
  const times: string[] = []
  for (const [a, b] of [
    [from, to],
    [to, from],
  ] as const) {
    const start = performance.now()
    try {
      await query(url, 'SELECT citus_move_shard_placement($1::bigint, $2, $3, $4, $5)', [
        ...[from.shard, a.host, a.port, b.host, b.port],
      ])
    } finally {
      // What a move that failed leaves behind would keep the database from being dropped.
      await query(url, 'CALL citus_cleanup_orphaned_resources()')
    }
    times.push(since(start))
  }
  return `there in ${times[0]} and back in ${times[1]}`
}

async function killWorker(load: Load): Promise<void> {
  const [stop, start] = [values['stop-worker'], values['start-worker']]
  if (stop === undefined || start === undefined) {
    report('skipped', 'a worker is killed', 'needs --stop-worker <command> and --start-worker <command>')
    return
  }
  const before = load.problems.length
  const killedAt = performance.now()
  await promisify(exec)(stop)
  await wait(AWAY_IN_MS)
  const away = seen(load, killedAt, performance.now())
  const served = load.answers.some(({ at, status }) => at > killedAt + 1000 && status >= 200 && status < 300)
  const startedAt = performance.now()
  await promisify(exec)(start)
  const backAt = performance.now()
  await wait(2 * BREATH_IN_MS)
  const last = lastRefusal(load, startedAt)
  for (const problem of load.problems.slice(before)) say(`  | ${problem}`)
  const isRight = goesOn(load, backAt) && load.problems.length === before
  report(
    isRight ? 'passed' : 'failed',
    'a worker is killed',
    [
      `while it was away, users got ${away}`,
      served ? 'those of other nodes went on' : 'nobody was served',
      `it started in ${figure((backAt - startedAt) / 1000)} s`,
      last === undefined
        ? 'no 503 came after that'
        : `the last 503 came ${figure(last)} s after the start began`,
    ].join('; '),
  )
}

/** Each hot statement was run, and each run was one task on one node. */
async function judgeHotStatements(ofSuites: string, ofService: string): Promise<void> {
  const url = await cluster.createDatabase('ranges')
  const ranges = await cluster.rangesOf(url)
  const suites = routesOf(await Array.fromAsync(executionsIn(ofSuites)), ranges)
  const service = routesOf(await Array.fromAsync(executionsIn(ofService)), ranges, moved)
  for (const [name, where] of HOT_STATEMENTS) {
    const routes = [...(where === 'anywhere' ? [suites] : []), service].flatMap((all) => all.get(name) ?? [])
    const failures = routes.flatMap((each) => [...each.failures])
    const runs = routes.reduce((sum, each) => sum + each.runs, 0)
    report(
      runs > 0 && failures.length === 0 ? 'passed' : 'failed',
      `one task on one node: ${name}`,
      [`${runs} runs`, ...failures.map(([why, times]) => `${times} of them: ${why}`)].join(', '),
    )
  }
  const hot = new Set(HOT_STATEMENTS.map(([name]) => name))
  say('\nOther statements of the service: runs, tasks at most, nodes at most')
  for (const [name, { runs, most, nodes }] of [...service].toSorted(byRuns)) {
    if (!hot.has(name))
      say(`  ${name.padEnd(48)} ${String(runs).padStart(6)} ${String(most).padStart(4)} ${nodes}`)
  }
}

function byRuns([, one]: [string, Routes], [, other]: [string, Routes]): number {
  return other.runs - one.runs
}
