import { Cron } from 'croner'
import type { Logger } from 'pino'
import type { AnchorTrail } from '../../application/trail/anchor-trail.ts'

/** The first run in an hour stores the anchor. The others find it, or do what the first could not. */
const EVERY_FIVE_MINUTES = '*/5 * * * *'

/** Anchors the trail on schedule, and logs each anchor, so that a copy outlives the database. Several processes may run it. */
export class AnchorCron {
  readonly #anchorTrail: Pick<AnchorTrail, 'execute'>
  readonly #logger: Logger
  readonly #schedule: string
  #cron: Cron | undefined
  #underWay = Promise.resolve()

  constructor(
    anchorTrail: Pick<AnchorTrail, 'execute'>,
    logger: Logger,
    { schedule = EVERY_FIVE_MINUTES } = {},
  ) {
    this.#anchorTrail = anchorTrail
    this.#logger = logger
    this.#schedule = schedule
  }

  /** Skips a run that is due while the previous one is not finished. */
  start(): void {
    this.#cron ??= new Cron(this.#schedule, { protect: true }, () => {
      this.#underWay = this.#run()
      return this.#underWay
    })
  }

  /** Starts no further run, and resolves when the current one is done. */
  async stop(): Promise<void> {
    this.#cron?.stop()
    await this.#underWay
  }

  async #run(): Promise<void> {
    try {
      const anchor = await this.#anchorTrail.execute()
      // Nested, because the log redacts a field `signature`: here it is public.
      if (anchor) this.#logger.info({ anchor }, 'trail anchored')
    } catch (error) {
      this.#logger.error({ err: error }, 'anchoring the trail failed')
    }
  }
}
