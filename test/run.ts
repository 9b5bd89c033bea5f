import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { migrateDatabase } from '../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../src/development/postgres/embedded-postgres.ts'
import { unseenAnswers } from './openapi/unseen-answers.ts'
import { Tally } from './support/tally.ts'

/*
 * Runs AVA with one PostgreSQL for all test files, and a migrated database in it for `test/support/database.ts` to copy.
 * Arguments go to AVA: `node test/run.ts test/journeys/races.test.ts`. Without any it runs all of `test/`, and then each answer in
 * the API's document must have been seen in a test. The last line says `N passed, N failed, N skipped`.
 */

/** Nothing of a test run has to outlive a crash. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '1000' }
const TEMPLATE = 'countersign_template'

const AVA = fileURLToPath(new URL('cli.mjs', import.meta.resolve('ava')))
/** The folder of `bin/service.mjs`: what one test file or service has stripped and compiled, the others load. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/compiled/', import.meta.url))

const args = process.argv.slice(2)
const runsAll = args.length === 0

const tally = new Tally()
let interrupted = false
let ava: ChildProcess | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true
    ava?.kill(signal)
  })
}
// Whoever reads may be gone (`npm test | head`); the server has to be stopped all the same.
process.stdout.on('error', () => {})

try {
  await runTests()
} catch (error) {
  console.error(error)
  tally.failed ||= 1
}
console.log(String(tally))
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0

async function runTests(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-test-'))
  try {
    // Run by root, the server is another account's, which has to get in.
    await chmod(folder, 0o755)
    const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), settings: FAST })
    try {
      await migrateTemplate(server.url)
      if (interrupted) throw new Error('Interrupted')
      const answersSeen = join(folder, 'answers')
      await mkdir(answersSeen)
      await runAva(server.url, answersSeen)
      if (runsAll) await tallyUnseen(answersSeen)
    } finally {
      await server.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function migrateTemplate(serverUrl: string): Promise<void> {
  const url = new URL(serverUrl)
  url.pathname = TEMPLATE
  await migrateDatabase(url.href)
}

async function runAva(serverUrl: string, answersSeen: string): Promise<void> {
  ava = spawn(process.execPath, [AVA, ...(runsAll ? ['test/**/*.test.ts'] : args)], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: COMPILED,
      TEST_DATABASE_SERVER: serverUrl,
      TEST_DATABASE_TEMPLATE: TEMPLATE,
      TEST_ANSWERS_SEEN: answersSeen,
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: ava.stdout! }).on('line', (line) => {
    console.log(line)
    tally.count(stripVTControlCharacters(line))
  })
  const [status, signal] = await once(ava, 'close')
  if (signal) console.log(`AVA was ended by ${signal}`)
  // Of some failures AVA keeps no figure, as of a file that hangs before its first test.
  if (status !== 0) tally.failed ||= 1
}

async function tallyUnseen(answersSeen: string): Promise<void> {
  const unseen = await unseenAnswers(answersSeen)
  for (const answer of unseen) console.log(`  ✘ documented, and seen in no test: ${answer}`)
  tally.failed += unseen.length
  if (unseen.length > 0) return
  console.log('  ✔ every documented answer is seen in a test')
  tally.passed++
}
