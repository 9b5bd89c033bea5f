import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startCountersign } from '../bench/countersign.ts'
import type { Ground } from '../bench/ground.ts'
import type { Program } from '../processes.ts'

const WORKERS = 2

/** The service in production mode: a supervisor with two workers, always on the same ports. */
export class ServiceUnderProof {
  readonly #ground: Ground
  readonly #databaseUrl: string
  readonly #env: Readonly<Record<string, string>>
  #program: Program | undefined

  constructor(ground: Ground, databaseUrl: string, env: Readonly<Record<string, string>>) {
    this.#ground = ground
    this.#databaseUrl = databaseUrl
    this.#env = env
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#program = await startCountersign(this.#ground, this.#databaseUrl, WORKERS, { ...this.#env, ...env })
  }

  async stop(): Promise<void> {
    await this.#program?.stop()
  }

  /** Kills it at once, without letting work finish. */
  async kill(): Promise<void> {
    await this.#program!.stop('SIGKILL')
  }

  async workerPids(): Promise<number[]> {
    // This fails while no worker runs, as between two deaths.
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(this.#program!.pid)]).catch(() => ({
      stdout: '',
    }))
    return stdout.split('\n').filter(Boolean).map(Number)
  }
}
