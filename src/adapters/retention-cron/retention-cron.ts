import { setTimeout as wait } from 'node:timers/promises'
import { Cron } from 'croner'
import type { Logger } from 'pino'
import type { PurgeChallenges } from '../../application/retention/purge-challenges.ts'

const EVERY_TEN_MINUTES = '*/10 * * * *'
/** The pause between two batches, which leaves the database to requests most of the time. */
const PAUSE_IN_MS = 100

/** Purges on schedule. Several processes may run it: only one of them purges at any moment. */
export class RetentionCron {
  readonly #purgeChallenges: Pick<PurgeChallenges, 'execute'>
  readonly #logger: Logger
  readonly #schedule: string
  readonly #pauseInMs: number
  readonly #stopping = new AbortController()
  #cron: Cron | undefined
  #underWay = Promise.resolve()

  constructor(
    purgeChallenges: Pick<PurgeChallenges, 'execute'>,
    logger: Logger,
    { schedule = EVERY_TEN_MINUTES, pauseInMs = PAUSE_IN_MS } = {},
  ) {
    this.#purgeChallenges = purgeChallenges
    this.#logger = logger
    this.#schedule = schedule
    this.#pauseInMs = pauseInMs
  }

  /** Skips a run that is due while the previous one is not finished. */
  start(): void {
    this.#cron ??= new Cron(this.#schedule, { protect: true }, () => {
      this.#underWay = this.#run()
      return this.#underWay
    })
  }

  /** Starts no further batch, and resolves when the current one is done. */
  async stop(): Promise<void> {
    this.#cron?.stop()
    this.#stopping.abort()
    await this.#underWay
  }

  async #run(): Promise<void> {
    let purged = { challenges: 0, events: 0 }
    try {
      for await (purged of this.#purgeChallenges.execute()) {
        await this.#pause()
        if (this.#stopping.signal.aborted) break
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'retention failed')
    }
    if (purged.challenges + purged.events > 0) this.#logger.info(purged, 'purged')
  }

  async #pause(): Promise<void> {
    await wait(this.#pauseInMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }
}
