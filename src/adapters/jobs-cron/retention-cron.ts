import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PurgeChallenges } from '../../application/retention/purge-challenges.ts'
import { ScheduledJob } from './scheduled-job.ts'

const EVERY_TEN_MINUTES = '*/10 * * * *'
/** The pause between two batches, which leaves the database to requests most of the time. */
const PAUSE_IN_MS = 100

/** Purges on schedule. Several processes may run it: only one of them purges at any moment. */
export class RetentionCron {
  readonly #purgeChallenges: Pick<PurgeChallenges, 'execute'>
  readonly #logger: Logger
  readonly #pauseInMs: number
  readonly #job: ScheduledJob

  constructor(
    purgeChallenges: Pick<PurgeChallenges, 'execute'>,
    logger: Logger,
    { schedule = EVERY_TEN_MINUTES, pauseInMs = PAUSE_IN_MS } = {},
  ) {
    this.#purgeChallenges = purgeChallenges
    this.#logger = logger
    this.#job = new ScheduledJob(schedule, (signal) => this.#run(signal))
    this.#pauseInMs = pauseInMs
  }

  start(): void {
    this.#job.start()
  }

  /** Starts no further batch, and resolves when the current one is done. */
  stop(): Promise<void> {
    return this.#job.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    let purged = { challenges: 0, events: 0 }
    try {
      for await (purged of this.#purgeChallenges.execute()) {
        await this.#pause(signal)
        if (signal.aborted) break
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'retention failed')
    }
    if (purged.challenges + purged.events > 0) this.#logger.info(purged, 'purged')
  }

  async #pause(signal: AbortSignal): Promise<void> {
    // It rejects only when the process stops, which the caller sees from the signal.
    await wait(this.#pauseInMs, undefined, { signal }).catch(() => {})
  }
}
