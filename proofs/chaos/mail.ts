import { randomInt } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { killDeliveries } from './killed-deliveries.ts'

/*
 * `npm run chaos:mail -- --rounds 200 --seed 7`: kills the service during deliveries, round after round, and reports how many mails
 * were lost (none may be) and how many came twice. Exits with 1 if a mail was lost, came twice without a kill, or had another code.
 * The same seed makes the same kills.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})
const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
const say = (line: string) => void process.stdout.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'countersign-chaos-'))
try {
  // If root runs this, the server runs under another account, which needs access.
  await chmod(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), settings: { fsync: 'off' } })
  try {
    await migrateDatabase(server.url)
    say(`${rounds} rounds, seed ${seed}`)
    const { violations, ...figures } = await killDeliveries({
      databaseUrl: server.url,
      rounds,
      seed,
      endLeases: false,
      progress: (round) => round % 10 === 0 && say(`round ${round}`),
    })
    for (const [what, figure] of Object.entries(figures)) say(`${what}: ${figure}`)
    for (const violation of violations) say(`VIOLATION ${violation}`)
    say(violations.length === 0 ? 'nothing lost, no duplicate without a kill, one code each' : 'WRONG')
    process.exitCode = violations.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
