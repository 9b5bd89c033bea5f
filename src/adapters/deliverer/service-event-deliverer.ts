import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type {
  DeliverServiceEvents,
  ServiceEventAttempt,
  ServiceEventReport,
} from '../../application/service-events/deliver-service-events.ts'

/** The longest wait of an event before somebody looks at it. */
const POLL_INTERVAL_IN_MS = 250
/** The pause after an error: the database is unavailable, and more frequent queries do not help. */
const PAUSE_AFTER_ERROR_IN_MS = 1000

interface ServiceEventDelivererOptions {
  /** Hears of every attempt once it is over. Must be quick, and must not throw. */
  readonly observer?: (report: ServiceEventReport) => void
  readonly pollIntervalInMs?: number
}

/**
 * Delivers due events while it runs. Each attempt that ends makes it look at once, because the next event of that challenge may be due.
 * Any number of deliverers may share a database.
 */
export class ServiceEventDeliverer {
  readonly #deliverServiceEvents: Pick<DeliverServiceEvents, 'execute'>
  readonly #logger: Logger
  readonly #observer: ((report: ServiceEventReport) => void) | undefined
  readonly #pollIntervalInMs: number
  readonly #underWay = new Set<Promise<void>>()
  /** Attempts in progress by client. */
  readonly #taken = new Map<string, number>()
  #running: Promise<void> | undefined
  #stopping = false
  #woken = false
  #wake = () => {}

  constructor(
    deliverServiceEvents: Pick<DeliverServiceEvents, 'execute'>,
    logger: Logger,
    { observer, pollIntervalInMs = POLL_INTERVAL_IN_MS }: ServiceEventDelivererOptions = {},
  ) {
    this.#deliverServiceEvents = deliverServiceEvents
    this.#logger = logger
    this.#observer = observer
    this.#pollIntervalInMs = pollIntervalInMs
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Claims nothing more, and resolves when every attempt has ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#look()
    await this.#running
    await Promise.all(this.#underWay)
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false
      try {
        const attempts = await this.#deliverServiceEvents.execute(this.#taken)
        for (const attempt of attempts) {
          this.#follow(attempt)
          // To sign an event takes a while. Mails of this thread go out in between.
          await turn()
        }
        if (attempts.length === 0) await this.#pause(this.#pollIntervalInMs)
      } catch (error) {
        this.#logger.error({ err: error }, 'claiming events failed')
        this.#woken = false
        await this.#pause(PAUSE_AFTER_ERROR_IN_MS)
      }
    }
  }

  #follow({ clientId, run }: ServiceEventAttempt): void {
    this.#count(clientId, 1)
    const settled = run().then((report) => {
      this.#count(clientId, -1)
      this.#underWay.delete(settled)
      this.#observer?.(report)
      this.#log(report)
      this.#look()
    })
    this.#underWay.add(settled)
  }

  #count(clientId: string, change: number): void {
    const count = (this.#taken.get(clientId) ?? 0) + change
    if (count === 0) this.#taken.delete(clientId)
    else this.#taken.set(clientId, count)
  }

  /** An accepted event is on the trail already, so its line is for who looks for it. */
  #log({ error, ...report }: ServiceEventReport): void {
    const { outcome } = report
    const level =
      outcome === 'accepted' ? 'debug' : outcome === 'unrecorded' || error !== undefined ? 'error' : 'warn'
    this.#logger[level]({ ...report, ...(error === undefined ? {} : { err: error }) }, 'event attempt')
  }

  #look(): void {
    this.#woken = true
    this.#wake()
  }

  /** Waits, unless an attempt has ended since the claim began. One that ends later ends the wait. */
  #pause(milliseconds: number): Promise<void> {
    if (this.#woken || this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
