import { constants, setPriority } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type Notice, Relay } from './relay.ts'

/** What the thread of the relay gets. */
export interface RelayPlan {
  readonly port: number
  readonly connections: number
  readonly notices: readonly Notice[]
  /** Notices a second. */
  readonly pace: number
}

/** What it answers with. Times are in ms. */
export interface RelayResult {
  /** Notices taken a second. */
  readonly taken: number
  /** From the moment when a notice was due to its answer. */
  readonly answers: readonly number[]
}

/* Brings notices at a pace, on a thread of its own, so that requests do not wait for it. */

// It stands for another machine. On this one it takes only what nobody else wants.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)

const { port, connections, notices, pace } = workerData as RelayPlan
const lines = await Promise.all(Array.from({ length: connections }, () => Relay.open(port)))
const answers: number[] = []
let next = 0
const startedAt = performance.now()
await Promise.all(
  lines.map(async (line) => {
    for (let index = next++; index < notices.length; index = next++) {
      const dueAt = startedAt + (pace === Number.POSITIVE_INFINITY ? 0 : (index * 1000) / pace)
      const early = dueAt - performance.now()
      if (early > 0) await wait(early)
      await line.give(notices[index]!)
      answers.push(performance.now() - dueAt)
    }
  }),
)
const taken = notices.length / ((performance.now() - startedAt) / 1000)
for (const line of lines) line.close()
parentPort!.postMessage({ taken, answers } satisfies RelayResult)
