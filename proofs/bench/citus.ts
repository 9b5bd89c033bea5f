import { parseArgs } from 'node:util'
import type { Contestant, Measured } from './contestant.ts'
import { countersignOf, startCountersign } from './countersign.ts'
import { CONNECTIONS, type Ground, layGround } from './ground.ts'
import { printRatios, printSummaries, ratios, summaries } from './report.ts'

/*
 * `npm run bench:citus` compares the service on databases that are there already: on one PostgreSQL, and on Citus after deploy/citus. All run
 * in turns within one run, because the speed of a machine changes from minute to minute. The servers have to be on this machine, since it
 * counts their processor time.
 */

const USAGE = `Usage: npm run bench:citus -- [--rounds <n>] [--size <n>] [--connections <n>] <name>,<none|citus>,<url>,<pid>[,<pid>…] …

  Each argument is a database: a name for the report, its DATABASE_SHARDING and DATABASE_URL, and the process of each of its servers.
  The first is the one that the others are compared with. The role has to be the owner of the tables or a superuser.

  --rounds       number of measured rounds, after one round to warm up (3)
  --size         number of requests of each kind in a round (600)
  --connections  number of requests at a time (${CONNECTIONS})
`

const { values, positionals } = options()
const rounds = Number(values.rounds ?? 3)
const size = Number(values.size ?? 600)
const connections = Number(values.connections ?? CONNECTIONS)
if (positionals.length === 0) exitWithUsage()

const ground = await layGround({}, connections)
const contestants: Contestant[] = []
const results = new Map<string, Measured[][]>()
try {
  for (const each of positionals) contestants.push(await contestantOf(each.split(',')))
  for (let round = 0; round <= rounds; round++) {
    console.log(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const measured = await contestant.round(size)
      if (round > 0) results.set(contestant.name, [...(results.get(contestant.name) ?? []), [...measured]])
    }
  }
} finally {
  for (const contestant of contestants) await contestant.stop()
  await ground.leave()
}
printSummaries(summaries(results))
printRatios(ratios(results, contestants[0]!.name))

async function contestantOf([name, sharding, url, ...pids]: readonly string[]): Promise<Contestant> {
  if (!name || !sharding || !url || pids.length === 0) return exitWithUsage()
  const here: Ground = { ...ground, statementsOf: async () => 0 }
  const client = await here.client(url)
  await client.query(
    `INSERT INTO users (bucket, user_id, email, created_at, updated_at)
     SELECT bucket_of('user-' || n), 'user-' || n, 'user-' || n || '@example.com', now(), now()
     FROM generate_series(0, $1::integer - 1) n
     ON CONFLICT DO NOTHING`,
    [size],
  )
  const program = await startCountersign(here, url, 1, { DATABASE_SHARDING: sharding })
  return countersignOf(here, client, '', [program], name, pids.map(Number))
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { rounds: { type: 'string' }, size: { type: 'string' }, connections: { type: 'string' } },
    })
  } catch {
    return exitWithUsage()
  }
}

function exitWithUsage(): never {
  process.stderr.write(USAGE)
  process.exit(2)
}
