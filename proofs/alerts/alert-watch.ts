import { setTimeout as wait } from 'node:timers/promises'
import type { PrometheusServer } from './prometheus-server.ts'

const LOOK_EVERY_MS = 500

/** Polls the alerts, and remembers which fired. */
export class AlertWatch {
  readonly #prometheus: Pick<PrometheusServer, 'firing'>
  readonly #stopping = new AbortController()
  readonly #ever = new Set<string>()
  #firing: ReadonlySet<string> = new Set()
  #running: Promise<void> | undefined

  constructor(prometheus: Pick<PrometheusServer, 'firing'>) {
    this.#prometheus = prometheus
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  get firing(): ReadonlySet<string> {
    return this.#firing
  }

  /** Every alert that has fired since the start. */
  get everFired(): ReadonlySet<string> {
    return this.#ever
  }

  /** How many seconds it took until the alert fired, or stopped firing. Undefined if it took too long. */
  async until(alert: string, fires: boolean, timeoutInSeconds: number): Promise<number | undefined> {
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    while (this.#firing.has(alert) !== fires) {
      if (seconds() > timeoutInSeconds) return undefined
      await wait(LOOK_EVERY_MS / 2)
    }
    return seconds()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Ignore one failed poll. If Prometheus is gone, no alert fires, and the proof fails.
      this.#firing = await this.#prometheus.firing().catch(() => this.#firing)
      for (const alert of this.#firing) this.#ever.add(alert)
      await wait(LOOK_EVERY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
  }
}
