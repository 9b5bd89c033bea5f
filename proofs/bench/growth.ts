import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { putHistory, sizeOf } from '../../test/support/history.ts'
import { figure } from '../statistics.ts'
import type { Contestant, Measured } from './contestant.ts'
import { countersignOf, seedUsers, startCountersign } from './countersign.ts'
import { layGround } from './ground.ts'
import { barChart } from './picture.ts'
import { printRatios, printSummaries, ratios, summaries } from './report.ts'

/*
 * `npm run bench:growth`: the same load, in turns, on databases with ten thousand, a million and ten million challenges, while
 * retention purges. The largest needs about 25 GB of disk and twenty minutes to fill. With `--against <checkout>`, the build
 * of another checkout shares the largest database. It has to know the same tables, and stands still while the others run.
 */

const { values } = parseArgs({
  options: {
    challenges: { type: 'string', default: '10000,1000000,10000000' },
    rounds: { type: 'string', default: '4' },
    size: { type: 'string', default: '3000' },
    against: { type: 'string' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
  },
})
const counts = values.challenges.split(',').map(Number)
const size = Number(values.size)

const PURGING = fileURLToPath(new URL('../retention/purging.ts', import.meta.url))

const ground = await layGround({ max_wal_size: '8GB', checkpoint_timeout: '15min' })
const contestants: Contestant[] = []
const urls = new Map<string, string>()
const results = new Map<string, Measured[][]>()
const bytes = new Map<string, number>()
try {
  for (const count of counts) {
    const name = `${count.toLocaleString('en-US')} challenges`
    const database = `growth_${count}`
    const url = await ground.createDatabase(database, 'migrated')
    const client = await ground.client(url)
    const startedAt = performance.now()
    await putHistory(client, count)
    bytes.set(name, (await sizeOf(client)) / count)
    console.log(
      `${name}: filled in ${figure((performance.now() - startedAt) / 1000)} s, ${figure(bytes.get(name)!)} bytes each`,
    )
    await seedUsers(client, size)
    await compete(name, url, client, database)
    if (values.against !== undefined && count === Math.max(...counts)) {
      await compete(`${name}, other build`, url, client, database, resolve(values.against))
    }
  }
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const purging = startPurging(urls.get(contestant.name)!)
      const measured = await contestant.round(size)
      await purging.stop()
      if (round > 0) results.set(contestant.name, [...(results.get(contestant.name) ?? []), [...measured]])
    }
  }
} finally {
  for (const contestant of contestants) await contestant.stop()
  await ground.leave()
}

/** Stands still while others run, so that its jobs do nothing in their database. */
async function compete(
  name: string,
  url: string,
  client: Awaited<ReturnType<typeof ground.client>>,
  database: string,
  checkout?: string,
): Promise<void> {
  const program = await startCountersign(ground, url, 1, {}, checkout)
  const contestant = countersignOf(ground, client, database, [program], name)
  process.kill(program.pid, 'SIGSTOP')
  contestants.push({
    ...contestant,
    round: async (size) => {
      process.kill(program.pid, 'SIGCONT')
      const measured = await contestant.round(size)
      process.kill(program.pid, 'SIGSTOP')
      return measured
    },
    stop: async () => {
      process.kill(program.pid, 'SIGCONT')
      await contestant.stop()
    },
  })
  urls.set(name, url)
}

const inOrder = new Map(contestants.map(({ name }) => [name, results.get(name)!]))
const all = summaries(inOrder)
const largest = `${Math.max(...counts).toLocaleString('en-US')} challenges`
const compared = ratios(inOrder, largest)
printSummaries(all)
printRatios(compared)

await mkdir(values.out, { recursive: true })
await writeFile(
  join(values.out, 'growth.json'),
  `${JSON.stringify({ measuredAt: new Date(), size, bytesPerChallenge: Object.fromEntries(bytes), summaries: all, ratios: compared }, undefined, 2)}\n`,
)
await writeFile(
  join(values.out, 'growth.svg'),
  barChart({
    title: 'One worker, by what the database holds',
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

/** The retention job, from the start of a round to its end. */
function startPurging(url: string) {
  const child = spawn(process.execPath, [PURGING], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exit = once(child, 'exit')
  return {
    stop: async () => {
      child.kill('SIGTERM')
      await exit
    },
  }
}
