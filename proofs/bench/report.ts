import { figure, median, percentile } from '../statistics.ts'
import type { Measured, Operation } from './contestant.ts'

/** The results of one contestant for one operation: medians of rounds, percentiles over all requests. */
export interface Summary {
  readonly contestant: string
  readonly operation: Operation
  readonly perSecond: number
  readonly p50InMs: number
  readonly p95InMs: number
  readonly p99InMs: number
  /** For 1,000 requests. Null if unknown. */
  readonly serviceCpuInMs: number | null
  readonly databaseCpuInMs: number | null
  readonly peakMemoryInMiB: number | null
  readonly statementsPerRequest: number
}

/** One contestant's throughput divided by another's: the median over all rounds. */
export interface Ratio {
  readonly contestant: string
  readonly to: string
  readonly operation: Operation
  readonly throughput: number
  readonly p50: number
  readonly p99: number
  /** CPU time for a request, of service and database together and of the database alone; null where it is not known. */
  readonly cpu: number | null
  readonly databaseCpu: number | null
  /** The worst and the best round. */
  readonly range: readonly [number, number]
}

export type Rounds = ReadonlyMap<string, readonly (readonly Measured[])[]>

const OPERATIONS: readonly Operation[] = ['create', 'initiate', 'verify', 'consume']

export function summaries(rounds: Rounds): Summary[] {
  return [...rounds.keys()].flatMap((contestant) =>
    OPERATIONS.flatMap((operation) => {
      const measured = of(rounds, contestant, operation)
      if (measured.length === 0) return []
      const latencies = measured.flatMap(({ latencies }) => latencies)
      const perThousand = (ms: (one: Measured) => number) =>
        known(median(measured.map((one) => (1000 * ms(one)) / one.requests)))
      return [
        {
          contestant,
          operation,
          perSecond: median(measured.map(throughput)),
          p50InMs: percentile(latencies, 0.5),
          p95InMs: percentile(latencies, 0.95),
          p99InMs: percentile(latencies, 0.99),
          serviceCpuInMs: perThousand(({ serviceCpuInMs }) => serviceCpuInMs),
          databaseCpuInMs: perThousand(({ databaseCpuInMs }) => databaseCpuInMs),
          peakMemoryInMiB: known(Math.max(...measured.map(({ peakMemoryInMiB }) => peakMemoryInMiB))),
          statementsPerRequest: median(measured.map(({ statements, requests }) => statements / requests)),
        },
      ]
    }),
  )
}

/** Compares `contestant` with each other one, for the operations that both have. */
export function ratios(rounds: Rounds, contestant: string): Ratio[] {
  const others = [...rounds.keys()].filter((name) => name !== contestant)
  return others.flatMap((to) =>
    OPERATIONS.flatMap((operation) => {
      const ours = of(rounds, contestant, operation)
      const theirs = of(rounds, to, operation)
      if (ours.length === 0 || theirs.length === 0) return []
      const each = ours.map((one, round) => throughput(one) / throughput(theirs[round]!))
      const latency = (all: readonly Measured[], share: number) =>
        percentile(
          all.flatMap(({ latencies }) => latencies),
          share,
        )
      const perRequest = (ms: (one: Measured) => number) => (one: Measured) => ms(one) / one.requests
      const cpuRatio = (ms: (one: Measured) => number) =>
        known(median(ours.map(perRequest(ms))) / median(theirs.map(perRequest(ms))))
      return [
        {
          contestant,
          to,
          operation,
          throughput: median(each),
          p50: latency(ours, 0.5) / latency(theirs, 0.5),
          p99: latency(ours, 0.99) / latency(theirs, 0.99),
          cpu: cpuRatio(({ serviceCpuInMs, databaseCpuInMs }) => serviceCpuInMs + databaseCpuInMs),
          databaseCpu: cpuRatio(({ databaseCpuInMs }) => databaseCpuInMs),
          range: [Math.min(...each), Math.max(...each)] as const,
        },
      ]
    }),
  )
}

export function printSummaries(all: readonly Summary[]): void {
  const head = ['', '', 'requests/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU', 'CPU of db', 'MiB', 'statements']
  const rows = all.map((one) => [
    one.contestant,
    one.operation,
    ...[one.perSecond, one.p50InMs, one.p95InMs, one.p99InMs].map(figure),
    ...[one.serviceCpuInMs, one.databaseCpuInMs, one.peakMemoryInMiB].map((value) =>
      figure(value ?? Number.NaN),
    ),
    figure(one.statementsPerRequest),
  ])
  printTable([head, ...rows])
  console.log(
    'CPU: ms of one core for 1,000 requests. Statements: per request, including those of deliveries meanwhile.\n',
  )
}

export function printRatios(all: readonly Ratio[]): void {
  printTable([
    ['', '', 'throughput', 'worst … best round', 'p50', 'p99', 'CPU', 'CPU of db'],
    ...all.map(({ contestant, to, operation, throughput, p50, p99, cpu, databaseCpu, range }) => [
      `${contestant} / ${to}`,
      operation,
      `${figure(throughput)} ×`,
      range.map(figure).join(' … '),
      ...[p50, p99, cpu ?? Number.NaN, databaseCpu ?? Number.NaN].map((ratio) => `${figure(ratio)} ×`),
    ]),
  ])
}

/** Words to the left, figures to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
  }
  console.log('')
}

function of(rounds: Rounds, contestant: string, operation: Operation): Measured[] {
  return rounds.get(contestant)!.flatMap((round) => round.filter((one) => one.operation === operation))
}

function throughput({ requests, seconds }: Measured): number {
  return requests / seconds
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
