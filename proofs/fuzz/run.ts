import { randomInt } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { type FuzzOutcome, fuzz } from './campaign.ts'
import type { Vitals } from './fuzzed-service.ts'

/*
 * `npm run fuzz -- --requests 20000 --seed 7`: sends valid, almost valid and hostile requests for everything in openapi.json, and
 * checks each answer against that document. Exits with 1 at the first answer that is not in it, at a fault of the service, and if
 * the service leaks memory. The same seed sends the same requests. `--round 3` sends only the third round of that seed.
 */

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(randomInt(2 ** 30)) },
    round: { type: 'string' },
  },
})
const [requests, seed] = [Number(values.requests), Number(values.seed)]
const round = values.round === undefined ? undefined : Number(values.round)
const say = (line: string) => void process.stdout.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'countersign-fuzz-'))
try {
  // If root runs this, the server runs under another account, which needs access.
  await chmod(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), settings: { fsync: 'off' } })
  try {
    await migrateDatabase(server.url)
    say(`${requests} requests, seed ${seed}`)
    const progress = (round: number, made: number) => {
      if (round % 10 === 0) say(`round ${round}, ${made} requests`)
    }
    const outcome = await fuzz({ databaseUrl: server.url, requests, seed, round, progress })
    report(outcome)
    process.exitCode = outcome.findings.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

function report({
  findings,
  requests,
  plays,
  seconds,
  byKind,
  byOperation,
  byStatus,
  warm,
  end,
}: FuzzOutcome) {
  say(`${requests} requests, ${plays} sequences, ${Math.round(requests / seconds)} requests a second`)
  for (const [what, tally] of Object.entries({ byKind, byOperation, byStatus })) {
    const figures = [...tally].toSorted(([, one], [, other]) => other - one)
    say(`${what}: ${figures.map(([key, count]) => `${key} ${count}`).join(', ')}`)
  }
  if (warm) say(`after the first third: ${told(warm)}`)
  if (end) say(`in the end: ${told(end)}`)
  for (const finding of findings) say(`FINDING ${finding}`)
  say(
    findings.length === 0
      ? 'no fault, no undocumented answer, no secret revealed, no leak'
      : `WRONG (seed ${seed})`,
  )
}

function told({ heldBytes, residentBytes, openFiles, busyConnections, idleConnections }: Vitals): string {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  const connections = `${busyConnections} busy and ${idleConnections} idle connections to the database`
  return `${mib(heldBytes)} held, ${mib(residentBytes)} resident, ${openFiles} other files and sockets, ${connections}`
}
