import { Cron } from 'croner'

/** Runs a job on schedule, one run at a time. */
export class ScheduledJob {
  readonly #schedule: string
  readonly #run: (signal: AbortSignal) => Promise<void>
  readonly #stopping = new AbortController()
  #cron: Cron | undefined
  #underWay = Promise.resolve()

  /** @param run one run, which handles its own errors. The signal asks it to end early. */
  constructor(schedule: string, run: (signal: AbortSignal) => Promise<void>) {
    this.#schedule = schedule
    this.#run = run
  }

  /** Skips a run that is due while the previous one is not finished. */
  start(): void {
    this.#cron ??= new Cron(this.#schedule, { protect: true }, () => {
      this.#underWay = this.#run(this.#stopping.signal)
      return this.#underWay
    })
  }

  /** Starts no further run, and resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.#cron?.stop()
    this.#stopping.abort()
    await this.#underWay
  }
}
