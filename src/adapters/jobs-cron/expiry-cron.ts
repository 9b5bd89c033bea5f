import type { Logger } from 'pino'
import type { ExpireChallenges } from '../../application/challenges/expire-challenges.ts'
import { ScheduledJob } from './scheduled-job.ts'

const EVERY_SECOND = '* * * * * *'

/** Looks for challenges that the clock has ended. Several processes may run it: they share the work. */
export class ExpiryCron {
  readonly #expireChallenges: Pick<ExpireChallenges, 'execute'>
  readonly #logger: Logger
  readonly #job: ScheduledJob

  constructor(
    expireChallenges: Pick<ExpireChallenges, 'execute'>,
    logger: Logger,
    { schedule = EVERY_SECOND } = {},
  ) {
    this.#expireChallenges = expireChallenges
    this.#logger = logger
    this.#job = new ScheduledJob(schedule, (signal) => this.#run(signal))
  }

  start(): void {
    this.#job.start()
  }

  /** Starts no further batch, and resolves when the current one is done. */
  stop(): Promise<void> {
    return this.#job.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#expireChallenges.execute(signal)
    } catch (error) {
      this.#logger.error({ err: error }, 'recording expired challenges failed')
    }
  }
}
