import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { figure } from '../statistics.ts'
import { soak } from './soak.ts'

/*
 * `npm run soak -- --minutes 30 --seed 7 --rate 6`: loads two processes of the service in production mode with honest and hostile
 * walks. Meanwhile it kills and restarts them, and breaks mail systems and the database. In the end it compares every answer with the
 * stored state, and every code with the accepted mails. Exits with 1 if anything differs. The same seed makes the same decisions.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    rate: { type: 'string', default: '6' },
  },
})
const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)]
const say = (line: string) => void process.stdout.write(`${line}\n`)

const interrupted = Promise.withResolvers<never>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.reject(new Error('Interrupted')))
}

say(`${minutes} minutes, ${rate} walks a second, seed ${seed}`)
const result = await soak({
  seed,
  loadInMs: minutes * 60_000,
  walksPerSecond: rate,
  limits: {
    codeLifetimeInSeconds: 60,
    cooldownInSeconds: 2,
    maxAttempts: 4,
    maxIssuances: 3,
    subjectMaxFailures: 5,
    subjectLockInSeconds: 15,
    subjectMaxIssuances: 8,
  },
  rhythms: {
    restarts: { lasting: [0, 3000], quiet: [8000, 25_000] },
    mail: { lasting: [2000, 15_000], quiet: [3000, 12_000] },
    database: { lasting: [300, 4000], quiet: [8000, 25_000] },
  },
  history: 20_000,
  lookEveryMs: 2000,
  endLeases: false,
  interrupted: interrupted.promise,
  progress: say,
}).catch((error: unknown) => {
  say(String(error))
  // Ignore errors of work that was in progress when the run failed.
  process.exit(1)
})

const table: [string, string][] = [
  ['load', `${figure(result.seconds / 60)} minutes`],
  ['requests', `${result.requests} (${figure(result.requests / result.seconds)} a second)`],
  ...[...result.walks].map(([name, { begun, finished }]): [string, string] => [
    `walks: ${name}`,
    `${begun}, ${finished} of them finished`,
  ]),
  ...[...result.troubles].map(([name, count]): [string, string] => [`trouble: ${name}`, String(count)]),
  ...Object.entries(result.findings.figures).map(([name, value]): [string, string] => [name, String(value)]),
  ['statements that requests shared', String(result.sharedStatements)],
  ['the steady process ran for', `${figure(result.livedInSeconds / 60)} minutes`],
  ...result.trends.map(({ sign, before, after }): [string, string] => [
    `${sign}, first and last third`,
    `${figure(before)} → ${figure(after)}`,
  ]),
]
const width = Math.max(...table.map(([name]) => name.length))
for (const [name, value] of table) say(`${name.padEnd(width)}  ${value}`)
for (const violation of result.violations) say(`VIOLATION ${violation}`)
say(
  result.violations.length === 0
    ? 'the stored state matches every answer'
    : `WRONG: ${result.violations.length} violations`,
)
process.exitCode = result.violations.length === 0 ? 0 : 1
