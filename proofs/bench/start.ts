import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { residentMemoryInMiB } from '../processes.ts'
import { figure, median } from '../statistics.ts'
import { startCountersign } from './countersign.ts'
import { layGround } from './ground.ts'

/*
 * `npm run bench:start`: measures how long `npm start` takes with a fresh and with an existing embedded database, how long the
 * service takes to start in production, and how much memory an idle worker uses.
 */

const TIMES = 5
const SETTLE_IN_MS = 5000
const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

const fresh: number[] = []
const existing: number[] = []
for (let n = 0; n < TIMES; n++) {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-start-'))
  await chmod(dataDir, 0o755)
  fresh.push(await developmentStart(dataDir))
  existing.push(await developmentStart(dataDir))
  await rm(dataDir, { recursive: true, force: true })
}

const ground = await layGround()
const url = await ground.createDatabase('start', 'migrated')
const production: number[] = []
const memory: number[] = []
for (let n = 0; n < TIMES; n++) {
  const startedAt = performance.now()
  const program = await startCountersign(ground, url, 1)
  production.push(performance.now() - startedAt)
  await wait(SETTLE_IN_MS)
  memory.push(residentMemoryInMiB(program.pid))
  await program.stop()
}
await ground.leave()

const seconds = (times: readonly number[]) => `${figure(median(times) / 1000)} s`
console.log(`npm start, fresh database      ${seconds(fresh)}`)
console.log(`npm start, existing database   ${seconds(existing)}`)
console.log(`production                     ${seconds(production)}`)
console.log(`memory of an idle worker       ${figure(median(memory))} MiB`)

/** The time from the command to its greeting. */
async function developmentStart(dataDir: string): Promise<number> {
  const startedAt = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: PROJECT,
    env: { ...process.env, DATA_DIR: dataDir, PORT: '0', MANAGEMENT_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Countersign is ready')) break
  }
  const time = performance.now() - startedAt
  const exit = once(child, 'exit')
  process.kill(-child.pid!, 'SIGINT')
  await exit
  return time
}
