import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevelopmentKeys } from '../../src/development/development-keys.ts'
import { until } from '../../test/journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'

/** A service that reports what it keeps in use. */
export interface FuzzedService {
  readonly process: ServiceProcess
  readonly url: string
  readonly port: number
  /** The folder of its mails, one file each. */
  readonly mailFolder: string
  readonly webhookAuth: string
  readonly keys: DevelopmentKeys
  /**
   * Measures what it keeps in use after a garbage collection, without clients. It first waits, for a limited time, until at most
   * `filesAtRest` files are open.
   */
  vitals(filesAtRest?: number): Promise<Vitals>
  stop(): Promise<void>
}

export interface Vitals {
  /** Objects and buffers in use, in bytes. */
  readonly heldBytes: number
  readonly residentBytes: number
  /** Files and sockets, without connections to the database. */
  readonly openFiles: number
  readonly busyConnections: number
  readonly idleConnections: number
  readonly waitingQueries: number
}

export const WEBHOOK_AUTH = 'postmark:zq-webhook-password-zq'
const COLLECT_GARBAGE = new URL('collect-garbage.ts', import.meta.url)
/** Clients, including `fetch`, close idle connections within a few seconds. */
const SETTLING_IN_MS = 30_000

export async function startFuzzedService(databaseUrl: string): Promise<FuzzedService> {
  const dataDir = await createDataDir()
  const service = await startProcess({
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir.path,
    POSTMARK_WEBHOOK_AUTH: WEBHOOK_AUTH,
    // Otherwise a sequence would wait for the clock.
    OTP_RESEND_COOLDOWN_SECONDS: '0',
    SUBJECT_MAX_CHALLENGES: '1000',
    NODE_OPTIONS: `--expose-gc --import=${COLLECT_GARBAGE}`,
  })
  const managementUrl = (await until(
    async () => /management ready\s+url: "(\S+)"/.exec(service.output())?.[1],
    Boolean,
  ))!

  const collectGarbage = async () => {
    const collections = async () =>
      sumOf(await scrape(managementUrl), /^nodejs_gc_duration_seconds_count\{.*kind="major"/)
    const before = await collections()
    // V8 merges a collection with one that is under way, so ask until two have ended since.
    await until(
      async () => {
        service.process.kill('SIGUSR2')
        return collections()
      },
      (count) => count >= before + 2,
    )
  }

  return {
    process: service,
    url: service.url,
    port: Number(new URL(service.url).port),
    mailFolder: join(dataDir.path, 'mailbox'),
    webhookAuth: WEBHOOK_AUTH,
    keys: JSON.parse(await readFile(join(dataDir.path, 'keys.json'), 'utf8')),
    vitals: async (filesAtRest = Number.POSITIVE_INFINITY) => {
      const giveUpAt = performance.now() + SETTLING_IN_MS
      await until(
        async () => vitalsIn(await scrape(managementUrl)),
        ({ openFiles, busyConnections }) =>
          (openFiles <= filesAtRest && busyConnections === 0) || performance.now() > giveUpAt,
        2 * SETTLING_IN_MS,
      )
      await collectGarbage()
      return vitalsIn(await scrape(managementUrl))
    },
    stop: async () => {
      await service.end()
      await dataDir.remove()
    },
  }
}

async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const end = line.lastIndexOf(' ')
        return [line.slice(0, end), Number(line.slice(end + 1))]
      }),
  )
}

function sumOf(samples: ReadonlyMap<string, number>, name: RegExp): number {
  return [...samples].reduce((sum, [key, value]) => (name.test(key) ? sum + value : sum), 0)
}

function vitalsIn(samples: ReadonlyMap<string, number>): Vitals {
  const sample = (name: string) => {
    const value = samples.get(name)
    if (value === undefined) throw new Error(`the service does not report ${name}`)
    return value
  }
  const busyConnections = sample('countersign_database_connections{state="busy"}')
  const idleConnections = sample('countersign_database_connections{state="idle"}')
  return {
    heldBytes: sample('nodejs_heap_size_used_bytes') + sample('nodejs_external_memory_bytes'),
    residentBytes: sample('process_resident_memory_bytes'),
    openFiles: sample('process_open_fds') - busyConnections - idleConnections,
    busyConnections,
    idleConnections,
    waitingQueries: sample('countersign_database_waiting_queries'),
  }
}
