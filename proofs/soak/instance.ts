import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { until } from '../../test/journeys/client.ts'
import { startCountersign } from '../bench/countersign.ts'
import type { Ground } from '../bench/ground.ts'
import type { Program } from '../processes.ts'
import type { TroubleLog } from './trouble-log.ts'
import { type VitalSigns, vitalSignsOf } from './vital-signs.ts'

/** On an overloaded machine, calls wait in vain for a connection, even without a fault. */
const BUSY_FROM_IN_MS = 1000

/** The life of one process. */
export interface Life {
  readonly pid: number
  readonly signs: VitalSigns[]
}

/** One instance of the service, whose processes always use the same ports, as behind a balancer. */
export class Instance {
  readonly url: string
  readonly lives: Life[] = []
  /** The processes that ended unexpectedly. */
  readonly complaints: string[] = []
  readonly #name: string
  readonly #managementUrl: string
  readonly #launch: () => Promise<Program>
  readonly #stopping = new AbortController()
  #program: Program | undefined
  #watching: Promise<void> | undefined

  static async at(
    name: string,
    ground: Ground,
    databaseUrl: string,
    env: Readonly<Record<string, string>>,
  ): Promise<Instance> {
    const [port, managementPort] = [await freePort(), await freePort()]
    const launch = () =>
      startCountersign(ground, databaseUrl, 1, {
        ...env,
        PORT: String(port),
        MANAGEMENT_PORT: String(managementPort),
      })
    return new Instance(name, port, managementPort, launch)
  }

  private constructor(name: string, port: number, managementPort: number, launch: () => Promise<Program>) {
    this.#name = name
    this.url = `http://127.0.0.1:${port}`
    this.#managementUrl = `http://127.0.0.1:${managementPort}`
    this.#launch = launch
  }

  async start(): Promise<void> {
    this.#program = await this.#launch()
    this.lives.push({ pid: this.#program.pid, signs: [] })
  }

  /** Ends it with SIGTERM, or kills it at once. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const program = this.#program
    if (!program) return
    if (program.ending() !== undefined)
      this.complaints.push(`${this.#name} ended by itself: ${program.ending()}`)
    await program.stop(signal)
    const expected = signal === 'SIGTERM' ? 0 : signal
    if (program.ending() !== expected) {
      this.complaints.push(`${this.#name} was sent ${signal} and ended with ${program.ending()}`)
    }
    this.#program = undefined
  }

  /** Whether `/readyz` reports it as ready. */
  async ready(): Promise<void> {
    await until(
      () =>
        fetch(`${this.url}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 200,
    )
  }

  /** Polls the current process. A process without time to answer has none for its connections either, and `log` records that. */
  watch(everyMs: number, log: TroubleLog): void {
    this.#watching = this.#watch(everyMs, log)
  }

  async stopWatching(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
  }

  async #watch(everyMs: number, log: TroubleLog): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const program = this.#program
      const life = this.lives.at(-1)
      const lookedAt = Date.now()
      const signs = program && (await vitalSignsOf(program.pid, this.url, this.#managementUrl))
      if (signs && Date.now() - lookedAt > BUSY_FROM_IN_MS)
        log.note('a process gets no CPU', lookedAt, 'database')
      if (signs && program.pid === life?.pid) life.signs.push(signs)
      await wait(everyMs, undefined, { signal }).catch(() => {})
    }
  }
}
