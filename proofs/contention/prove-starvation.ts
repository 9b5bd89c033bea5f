import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { figure, percentile } from '../statistics.ts'
import { starve } from './starvation.ts'

/*
 * `npm run starvation:prove`: how long other users wait while one account is attacked, and while it is not, side by side in one run.
 * With `--left-behind 4000` the account has as many live challenges before each changed address, as only an older version leaves them.
 */

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '8' },
    'left-behind': { type: 'string', default: '0' },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'countersign-starvation-'))
try {
  // If root runs this, the server runs under another account, which needs access.
  await chmod(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  try {
    await migrateDatabase(server.url)
    const { quiet, attacked, attack, live } = await starve({
      databaseUrl: server.url,
      windows: Number(values.windows),
      secondsPerWindow: Number(values.seconds),
      leftBehind: Number(values['left-behind']),
      callers: 32,
    })
    for (const [name, { latencies, statuses }] of Object.entries({ quiet, attacked })) {
      const [half, most] = [0.5, 0.99].map((share) => figure(percentile(latencies, share)))
      const answers = JSON.stringify([...statuses])
      say(`${name}: median ${half} ms, p99 ${most} ms of ${latencies.length} calls, answered ${answers}`)
    }
    const ratio = percentile(attacked.latencies, 0.99) / percentile(quiet.latencies, 0.99)
    say(`p99 with the attack / without it: ${figure(ratio)}`)
    say(`the attack was answered ${JSON.stringify([...attack])}; at its end ${live} challenges were live`)
  } finally {
    await server.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
