import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { DeliverOtp } from '../../application/codes/deliver-otp.ts'
import type { DeliveryAttempt, DeliveryReport } from '../../application/mail/send-mail.ts'
import type { DeliverySignal } from '../../application/ports/delivery-signal.ts'
import type { HealthCheck } from '../../contracts/health-check.ts'
import type { Workload } from '../../contracts/workload.ts'

/** How long a mail may wait that was queued by a process which did not deliver it. */
const POLL_INTERVAL_IN_MS = 250
/** After an error: the database is away, and asking it faster does not bring it back. */
const PAUSE_AFTER_ERROR_IN_MS = 1000
/** Hand-overs under way at once. A slow mail takes one place and holds up none of the others. */
const MAX_CONCURRENT = 50
/** Places that each request under way takes away, down to the least that is always left. */
const YIELDED_PER_REQUEST = 4
const MIN_CONCURRENT = 1
/** Longer than this, mails do not give way to requests: whoever waits for one waits for nothing else. */
const PATIENCE_IN_MS = 5000

/** Hears of every attempt once it is over. Must be quick, and must not throw. */
export interface DeliveryObserver {
  attempted(report: DeliveryReport): void
}

export interface DelivererOptions {
  readonly observer?: DeliveryObserver
  readonly pollIntervalInMs?: number
  readonly patienceInMs?: number
}

/**
 * Delivers what is due for as long as it runs: at once when rung by a decision of this process, and by a poll
 * for what others left. Any number of deliverers may share a database.
 *
 * A burst of requests is answered first and its mails leave right after it, since a mail may take seconds anyway and an
 * answer may not. Once it has been behind for five seconds, it takes the places it needs and requests get slower instead.
 */
export class Deliverer implements DeliverySignal, HealthCheck {
  readonly name = 'deliverer'
  readonly #deliverOtp: Pick<DeliverOtp, 'execute'>
  readonly #workload: Workload
  readonly #logger: Logger
  readonly #observer: DeliveryObserver | undefined
  readonly #pollIntervalInMs: number
  readonly #patienceInMs: number
  readonly #underWay = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #stopping = false
  #woken = false
  /** The last claim got all that it asked for, so there is likely more. */
  #moreDue = false
  /** When there was nothing more to claim. */
  #caughtUpAt = 0
  #wake = () => {}

  constructor(
    deliverOtp: Pick<DeliverOtp, 'execute'>,
    workload: Workload,
    logger: Logger,
    {
      observer,
      pollIntervalInMs = POLL_INTERVAL_IN_MS,
      patienceInMs = PATIENCE_IN_MS,
    }: DelivererOptions = {},
  ) {
    this.#deliverOtp = deliverOtp
    this.#workload = workload
    this.#logger = logger
    this.#observer = observer
    this.#pollIntervalInMs = pollIntervalInMs
    this.#patienceInMs = patienceInMs
  }

  start(): void {
    this.#caughtUpAt = performance.now()
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

  wake(): void {
    this.#woken = true
    this.#wake()
  }

  async problem(): Promise<string | undefined> {
    return this.#running && !this.#stopping ? undefined : 'the deliverer is not running'
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false
      const free = this.#freeSlots()
      try {
        const claimed = free > 0 ? await this.#deliverOtp.execute(free) : []
        for (const attempt of claimed) {
          this.#follow(attempt)
          // To write a mail takes as long as to answer a request, which must not wait for all that were claimed.
          await turn()
        }
        this.#moreDue = claimed.length === free
        if (!this.#moreDue) this.#caughtUpAt = performance.now()
        // A ring since the claim began may be about something newer.
        if (!this.#moreDue || free === 0) await this.#pause(this.#pollIntervalInMs)
      } catch (error) {
        this.#logger.error({ err: error }, 'claiming mails failed')
        this.#woken = false
        await this.#pause(PAUSE_AFTER_ERROR_IN_MS)
      }
    }
  }

  /** None until half of them are free: a claim costs about the same for one mail as for many. */
  #freeSlots(): number {
    const behind = performance.now() - this.#caughtUpAt > this.#patienceInMs
    const taken = behind ? 0 : YIELDED_PER_REQUEST * this.#workload.inFlight()
    const places = Math.max(MIN_CONCURRENT, MAX_CONCURRENT - taken)
    const free = places - this.#underWay.size
    return free * 2 >= places ? free : 0
  }

  #follow(attempt: DeliveryAttempt): void {
    const settled = attempt().then((attempted) => {
      this.#observer?.attempted(attempted)
      const { error, ...report } = attempted
      const level = report.outcome === 'sent' ? 'info' : report.outcome === 'unrecorded' ? 'error' : 'warn'
      this.#logger[level]({ ...report, ...(error === undefined ? {} : { err: error }) }, 'mail attempt')
      this.#underWay.delete(settled)
      if (this.#moreDue && this.#freeSlots() > 0) this.#wake()
    })
    this.#underWay.add(settled)
  }

  /** Waits, unless rung meanwhile or since the last look. */
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
