import { stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { connectPrisma } from './adapters/persistence-prisma/connect-prisma.ts'
import { PrismaUserRegistry } from './adapters/persistence-prisma/prisma-user-registry.ts'
import { userFile } from './adapters/user-files/user-file.ts'
import { ImportUsers } from './application/import-users.ts'
import { loadConfig } from './config.ts'
import { openDatabase } from './database.ts'

/* `npm run users:import -- users.csv --all-or-nothing` puts the users of a file into the directory. */

const USAGE = `npm run users:import -- <file.csv|file.jsonl> [--all-or-nothing]

  Fields: userId, email, locale (optional), displayName (optional). A line that is refused is reported
  with its number and left out; with --all-or-nothing one refused line means that nothing is stored.
  Exit code: 0 if every line was stored, 1 if any was refused, 2 if the command was not understood.
`

const { values, positionals } = arguments_()
const [path] = positionals
if (!path || positionals.length > 1) exitWithUsage()

const config = loadConfig()
await stat(path!)
const database = await openDatabase(config)
const { prisma, close } = connectPrisma({ url: database.url, onConnectionLost: () => {} })
const bar = new SingleBar({ format: '  {value} lines  {bar}  {duration_formatted}', noTTYOutput: false })
try {
  const importUsers = new ImportUsers(new PrismaUserRegistry(prisma), { now: () => new Date() })
  bar.start(await lineCount(path!), 0)
  const { created, updated, refused } = await importUsers.execute({
    lines: userFile(path!),
    allOrNothing: values['all-or-nothing'] ?? false,
    onLine: () => bar.increment(),
  })
  bar.stop()

  for (const { number, problem } of refused) console.log(`line ${number}: ${problem}`)
  console.log(`${created} created, ${updated} updated, ${refused.length} refused`)
  process.exitCode = refused.length > 0 ? 1 : 0
} finally {
  bar.stop()
  await close()
  await database.stop()
}

async function lineCount(file: string): Promise<number> {
  let count = 0
  for await (const _ of userFile(file)) count++
  return count
}

function arguments_() {
  try {
    return parseArgs({ allowPositionals: true, options: { 'all-or-nothing': { type: 'boolean' } } })
  } catch {
    return exitWithUsage()
  }
}

function exitWithUsage(): never {
  process.stderr.write(USAGE)
  process.exit(2)
}
