import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { startPgBouncer } from '../rolling/pgbouncer.ts'
import { figure } from '../statistics.ts'
import { contend } from './contention.ts'

/*
 * `npm run contention:prove -- --decisions 100000 --subjects 50`: three processes decide about the same subjects, with the stores of
 * the service and connections of their own. Exits with 1 if there was a deadlock, if two decisions on one version of a subject were
 * stored, or if the audit trail differs from what the store confirmed. With `--pgbouncer` they go through PgBouncer in transaction mode,
 * which needs Debian's pgbouncer.
 */

const { values } = parseArgs({
  options: {
    decisions: { type: 'string', default: '100000' },
    subjects: { type: 'string', default: '50' },
    processes: { type: 'string', default: '3' },
    callers: { type: 'string', default: '32' },
    pgbouncer: { type: 'boolean', default: false },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)

const folder = await mkdtemp(join(tmpdir(), 'countersign-contention-'))
try {
  // If root runs this, the server runs under another account, which needs access.
  await chmod(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  try {
    await migrateDatabase(server.url)
    const lockFile = await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')
    const pooler = values.pgbouncer ? await startPgBouncer(folder, server.url) : undefined
    const result = await contend({
      databaseUrl: server.url,
      ...(pooler && { poolerUrl: pooler.url }),
      postgresPid: Number(lockFile.split('\n')[0]),
      processes: Number(values.processes),
      callers: Number(values.callers),
      decisions: Number(values.decisions),
      subjects: Number(values.subjects),
    }).finally(() => pooler?.stop())
    const { seconds, decisions } = result
    const perThousand = (value: number) => figure((value / decisions) * 1000)
    const table: [string, string][] = [
      ['decisions stored', `${decisions} about ${values.subjects} subjects in ${figure(seconds)} s`],
      ['decisions a second', figure(decisions / seconds)],
      ['challenges opened', String(result.opened)],
      ['lost races, for 1,000 decisions', perThousand(result.lostRaces)],
      ['gave up', String(result.gaveUp)],
      ['CPU of the database, ms for 1,000', perThousand(result.databaseCpuInMs)],
      ['CPU of the processes, ms for 1,000', perThousand(result.processCpuInMs)],
      ...Object.entries(result.groups).map(([name, group]): [string, string] => [
        `groups of ${name}`,
        `${group.statements}, ${group.ofSeveral} of more than one; ` +
          `${figure(group.members / group.statements)} on average, ${group.largest} at most`,
      ]),
      ['deadlocks', String(result.deadlocks)],
    ]
    const width = Math.max(...table.map(([name]) => name.length))
    for (const [name, value] of table) say(`${name.padEnd(width)}  ${value}`)
    for (const violation of result.violations) say(`VIOLATION ${violation}`)
    say(result.violations.length === 0 ? 'each decision is stored once' : 'WRONG')
    process.exitCode = result.violations.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
