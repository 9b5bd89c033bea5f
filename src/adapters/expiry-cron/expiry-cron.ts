import { Cron } from 'croner'
import type { Logger } from 'pino'
import type { ExpireChallenges } from '../../application/challenges/expire-challenges.ts'

const EVERY_SECOND = '* * * * * *'

/** Looks for challenges that the clock has ended. Several processes may run it: they share the work. */
export class ExpiryCron {
  readonly #expireChallenges: Pick<ExpireChallenges, 'execute'>
  readonly #logger: Logger
  readonly #schedule: string
  readonly #stopping = new AbortController()
  #cron: Cron | undefined
  #underWay = Promise.resolve()

  constructor(
    expireChallenges: Pick<ExpireChallenges, 'execute'>,
    logger: Logger,
    { schedule = EVERY_SECOND } = {},
  ) {
    this.#expireChallenges = expireChallenges
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

  /** Starts no further batch, and resolves when the current one is done. */
  async stop(): Promise<void> {
    this.#cron?.stop()
    this.#stopping.abort()
    await this.#underWay
  }

  async #run(): Promise<void> {
    try {
      await this.#expireChallenges.execute(this.#stopping.signal)
    } catch (error) {
      this.#logger.error({ err: error }, 'recording expired challenges failed')
    }
  }
}
