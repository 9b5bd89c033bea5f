import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { betterAuth } from './better-auth.ts'
import type { Contestant, Measured } from './contestant.ts'
import { countersign, otherBuild } from './countersign.ts'
import { floor } from './floor.ts'
import { CONNECTIONS, layGround } from './ground.ts'
import { pgbench } from './pgbench.ts'
import { barChart } from './picture.ts'
import { printRatios, printSummaries, ratios, summaries } from './report.ts'

/*
 * `npm run bench` compares the service in production mode with its floor and with an alternative. All run in turns within one run,
 * because the speed of a machine changes from minute to minute. Only the ratios are comparable between runs.
 */

const USAGE = `Usage: npm run bench -- [--quick] [--rounds <n>] [--size <n>] [--only <name>,…] [--against <checkout>]
                        [--connections <n>] [--out <folder>]

  --quick        takes under a minute, to see whether a change made a difference
  --rounds       number of measured rounds, after one round to warm up (5, quick 2)
  --size         number of requests of each kind in a round (3000, quick 600)
  --only         one or more of countersign, workers-2, workers-4, floor, better-auth, pgbench
                 (all but workers-4)
  --against      folder of a second checkout with its own npm ci, whose build is measured too
  --connections  number of requests at a time (32)
  --out          folder for throughput.json and throughput.svg (proofs/bench/results)
`

const { values } = options()
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
const size = Number(values.size ?? (values.quick ? 600 : 3000))
const only = values.only?.split(',')

const ground = await layGround(
  {},
  values.connections === undefined ? CONNECTIONS : Number(values.connections),
)
const contestants: Contestant[] = []
const results = new Map<string, Measured[][]>()
try {
  for (const start of wanted()) {
    const contestant = await start()
    if (contestant) contestants.push(contestant)
    else console.log('pgbench is not installed: the limit of the database is not measured.')
  }
  for (let round = 0; round <= rounds; round++) {
    console.log(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    for (const contestant of inTurns(contestants, round)) {
      const measured = await contestant.round(size)
      if (round > 0) results.set(contestant.name, [...(results.get(contestant.name) ?? []), [...measured]])
    }
  }
} finally {
  for (const contestant of contestants) await contestant.stop()
  await ground.leave()
}

const inOrder = new Map(contestants.map(({ name }) => [name, results.get(name)!]))
const all = summaries(inOrder)
const compared = inOrder.has('Countersign') ? ratios(inOrder, 'Countersign') : []
printSummaries(all)
printRatios(compared)

const folder = values.out ?? join(import.meta.dirname, 'results')
await mkdir(folder, { recursive: true })
await writeFile(
  join(folder, 'throughput.json'),
  `${JSON.stringify({ measuredAt: new Date(), machine: machine(), rounds, size, connections: ground.connections, summaries: all, ratios: compared }, undefined, 2)}\n`,
)
await writeFile(
  join(folder, 'throughput.svg'),
  barChart({
    title: `${ground.connections} connections`,
    unit: 'requests a second',
    series: contestants.map(({ name }) => name),
    groups: (['create', 'initiate', 'verify', 'consume'] as const).map((operation) => ({
      label: operation,
      values: contestants.map(
        ({ name }) => all.find((one) => one.contestant === name && one.operation === operation)?.perSecond,
      ),
    })),
  }),
)

function wanted(): (() => Promise<Contestant | undefined>)[] {
  const starts: Record<string, () => Promise<Contestant | undefined>> = {
    countersign: () => countersign(ground, 1, size),
    'workers-2': () => countersign(ground, 2, size),
    'workers-4': () => countersign(ground, 4, size),
    floor: () => floor(ground, size),
    'better-auth': () => betterAuth(ground, size),
    pgbench: () => pgbench(ground, size),
  }
  const names = only ?? Object.keys(starts).filter((name) => name !== 'workers-4')
  const all = names.map((name) => starts[name] ?? exitWithUsage())
  const { against } = values
  return against === undefined ? all : [...all, () => otherBuild(ground, resolve(against), size)]
}

/** Changes the order, so that no contestant is always first, or always after the same other one. */
function inTurns(all: readonly Contestant[], round: number): Contestant[] {
  const first = round % all.length
  const turned = [...all.slice(first), ...all.slice(0, first)]
  return round % 2 === 0 ? turned : turned.reverse()
}

function machine() {
  const MIB = 1024 * 1024
  return { cores: availableParallelism(), cpu: cpus()[0]?.model, memoryInMiB: Math.round(totalmem() / MIB) }
}

function options() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        size: { type: 'string' },
        only: { type: 'string' },
        against: { type: 'string' },
        connections: { type: 'string' },
        out: { type: 'string' },
      },
    })
  } catch {
    return exitWithUsage()
  }
}

function exitWithUsage(): never {
  process.stderr.write(USAGE)
  process.exit(2)
}
