import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { AnchorTrail } from '../../application/trail/anchor-trail.ts'
import { ScheduledJob } from './scheduled-job.ts'

/** The first run in an hour stores the anchor. The others find it, or do what the first could not. */
const EVERY_FIVE_MINUTES = '*/5 * * * *'
/** Processes begin at different times, so that the first one has mostly finished when the next one looks. */
const SPREAD_IN_MS = 120_000

/** Anchors the trail on schedule, and logs each anchor, so that a copy outlives the database. Logs an anchor in doubt once. Several processes may run it. */
export class AnchorCron {
  readonly #anchorTrail: Pick<AnchorTrail, 'execute'>
  readonly #logger: Logger
  readonly #spreadInMs: number
  readonly #job: ScheduledJob
  /** The number of the newest anchor in doubt that the log has. */
  #doubted = 0

  constructor(
    anchorTrail: Pick<AnchorTrail, 'execute'>,
    logger: Logger,
    { schedule = EVERY_FIVE_MINUTES, spreadInMs = SPREAD_IN_MS } = {},
  ) {
    this.#anchorTrail = anchorTrail
    this.#logger = logger
    this.#job = new ScheduledJob(schedule, (signal) => this.#run(signal))
    this.#spreadInMs = spreadInMs
  }

  start(): void {
    this.#job.start()
  }

  /** Breaks off the current run, which has stored nothing then, or all. */
  stop(): Promise<void> {
    return this.#job.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await wait(Math.random() * this.#spreadInMs, undefined, { signal })
      const { anchor, doubt } = await this.#anchorTrail.execute(signal)
      if (doubt && doubt.number !== this.#doubted) {
        this.#doubted = doubt.number
        this.#logger.error({ anchor: doubt }, 'newest trail anchor in doubt')
      }
      // Nested, because the log redacts a field `signature`: here it is public.
      if (anchor) this.#logger.info({ anchor, ...(doubt && { follows: doubt.verdict }) }, 'trail anchored')
    } catch (error) {
      if (signal.aborted) return
      this.#logger.error({ err: error }, 'anchoring the trail failed')
    }
  }
}
