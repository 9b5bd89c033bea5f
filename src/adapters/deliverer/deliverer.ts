import type { Logger } from 'pino'
import type { DeliverOtp, DeliveryReport } from '../../application/deliver-otp.ts'
import type { DeliverySignal } from '../../application/ports/delivery-signal.ts'
import type { HealthCheck } from '../../application/ports/health-check.ts'

/** How long a mail may wait that was queued by a process which did not deliver it. */
const POLL_INTERVAL_IN_MS = 250
/** After an error: the database is away, and asking it faster does not bring it back. */
const PAUSE_AFTER_ERROR_IN_MS = 1000
/** Hand-overs under way at once. A slow mail takes one place and holds up none of the others. */
const CONCURRENCY = 50

/**
 * Delivers what is due for as long as it runs: at once when rung by a decision of this process, and by a poll
 * for what others left. Any number of deliverers may share a database.
 */
export class Deliverer implements DeliverySignal, HealthCheck {
  readonly name = 'deliverer'
  readonly #deliverOtp: Pick<DeliverOtp, 'execute'>
  readonly #logger: Logger
  readonly #pollIntervalInMs: number
  readonly #underWay = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #stopping = false
  #rung = false
  #wake = () => {}

  constructor(
    deliverOtp: Pick<DeliverOtp, 'execute'>,
    logger: Logger,
    { pollIntervalInMs = POLL_INTERVAL_IN_MS } = {},
  ) {
    this.#deliverOtp = deliverOtp
    this.#logger = logger
    this.#pollIntervalInMs = pollIntervalInMs
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Claims nothing more and resolves when every hand-over under way is settled. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake()
    await this.#running
    await Promise.all(this.#underWay)
    this.#running = undefined
  }

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  async problem(): Promise<string | undefined> {
    return this.#running && !this.#stopping ? undefined : 'the deliverer is not running'
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#rung = false
      const free = CONCURRENCY - this.#underWay.size
      try {
        const claimed = free > 0 ? await this.#deliverOtp.execute(free) : []
        for (const handOver of claimed) this.#follow(handOver)
        // Fewer than asked for: nothing more is due. A ring since the claim began may be about something newer.
        if (claimed.length < free || free === 0) await this.#pause(this.#pollIntervalInMs)
      } catch (error) {
        this.#logger.error({ err: error }, 'claiming mails failed')
        this.#rung = false
        await this.#pause(PAUSE_AFTER_ERROR_IN_MS)
      }
    }
  }

  #follow(handOver: Promise<DeliveryReport>): void {
    const settled = handOver.then(({ error, ...report }) => {
      const level = report.outcome === 'sent' ? 'info' : report.outcome === 'unrecorded' ? 'error' : 'warn'
      this.#logger[level]({ ...report, ...(error === undefined ? {} : { err: error }) }, 'mail attempt')
      this.#underWay.delete(settled)
      if (this.#underWay.size === CONCURRENCY - 1) this.#wake()
    })
    this.#underWay.add(settled)
  }

  /** Waits, unless rung meanwhile or since the last look. */
  #pause(milliseconds: number): Promise<void> {
    if (this.#rung || this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
