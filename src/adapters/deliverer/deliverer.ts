import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { DeliverOtp } from '../../application/codes/deliver-otp.ts'
import type { DeliveryAttempt, DeliveryReport } from '../../application/mail/send-mail.ts'
import type { DeliverySignal } from '../../application/ports/delivery-signal.ts'
import type { HealthCheck } from '../../contracts/health-check.ts'
import type { Workload } from '../../contracts/workload.ts'

/** The longest wait of a mail that another process queued and did not deliver. */
const POLL_INTERVAL_IN_MS = 250
/** The pause after an error: the database is unavailable, and more frequent queries do not help. */
const PAUSE_AFTER_ERROR_IN_MS = 1000
/** Delivery attempts at the same time. A slow mail takes one slot and does not delay the others. */
const MAX_CONCURRENT = 50
/** Slots that each request in flight takes from the mails, down to the minimum. */
const YIELDED_PER_REQUEST = 4
const MIN_CONCURRENT = 1
/** After this time of being behind, mails no longer give way to requests: users are waiting for them. */
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
 * Delivers due mails while it runs. A decision of this process wakes it at once, and a poll finds the mails of other
 * processes. Any number of deliverers may share a database.
 *
 * In a burst, requests come first and their mails leave right after: a mail may take seconds anyway, and an answer may
 * not. After five seconds of being behind, the deliverer takes the slots that it needs, and requests get slower instead.
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
  /** The last claim filled all slots, so more mails are probably due. */
  #moreDue = false
  /** When a claim last left slots free. */
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

  /** Claims nothing more, and resolves when every delivery attempt has ended. */
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
          // Composing a mail takes as long as answering a request. Let requests in between two mails.
          await turn()
        }
        this.#moreDue = claimed.length === free
        if (!this.#moreDue) this.#caughtUpAt = performance.now()
        // A `wake` since the claim began may concern a newer mail, so `#pause` checks for it.
        if (!this.#moreDue || free === 0) await this.#pause(this.#pollIntervalInMs)
      } catch (error) {
        this.#logger.error({ err: error }, 'claiming mails failed')
        this.#woken = false
        await this.#pause(PAUSE_AFTER_ERROR_IN_MS)
      }
    }
  }

  /** Zero until half of the slots are free: a claim costs about the same for one mail as for many. */
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

  /** Waits, unless `wake` was called since the claim began. A later `wake` ends the wait. */
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
