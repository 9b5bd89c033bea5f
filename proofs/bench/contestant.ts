import { usageOf } from '../processes.ts'
import type { Ground } from './ground.ts'
import type { Load } from './load.ts'

/** A program under measurement that issues and verifies codes. */
export interface Contestant {
  readonly name: string
  /** Measures `size` requests of each kind. Each is about a challenge of its own, and each must succeed. */
  round(size: number): Promise<readonly Measured[]>
  stop(): Promise<void>
}

/** The operations of a contestant, in the service's terms. */
export type Operation = 'create' | 'initiate' | 'verify' | 'consume'

export interface Measured {
  readonly operation: Operation
  readonly requests: number
  readonly seconds: number
  readonly latencies: readonly number[]
  readonly serviceCpuInMs: number
  readonly databaseCpuInMs: number
  readonly peakMemoryInMiB: number
  /** How many statements the database ran meanwhile, including those of deliveries. */
  readonly statements: number
}

/** The processes and the database whose work is counted. */
interface Place {
  readonly ground: Ground
  readonly database: string
  /** Empty if it has no process of its own. */
  readonly pids: readonly number[]
  /** The servers of the database, if they are not those of the ground. */
  readonly databasePids?: readonly number[] | undefined
}

/** Runs a load and measures what it used. @throws {Error} unless every answer has the expected status. */
export async function measure(
  operation: Operation,
  status: number,
  place: Place,
  run: () => Promise<Load>,
): Promise<Measured & { readonly bodies: readonly string[] }> {
  const before = await readings(place)
  const { seconds, latencies, statuses, bodies } = await run()
  const after = await readings(place)

  if (statuses.get(status) !== latencies.length) {
    const seen = [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')
    const odd = bodies.find((body) => body.includes('"code"')) ?? ''
    throw new Error(`${operation}: ${seen} where all should be ${status}; ${odd}`)
  }
  return {
    operation,
    requests: latencies.length,
    seconds,
    latencies,
    bodies,
    serviceCpuInMs: after.service.cpuInMs - before.service.cpuInMs,
    databaseCpuInMs: after.database.cpuInMs - before.database.cpuInMs,
    peakMemoryInMiB: after.service.peakMemoryInMiB,
    statements: after.statements - before.statements,
  }
}

async function readings({ ground, database, pids, databasePids = [ground.postgresPid] }: Place) {
  const unknown = { cpuInMs: Number.NaN, peakMemoryInMiB: Number.NaN }
  return {
    statements: await ground.statementsOf(database),
    service: pids.length === 0 ? unknown : usageOf(...pids),
    database: usageOf(...databasePids),
  }
}
