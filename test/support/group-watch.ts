import { freePort } from '../../src/development/postgres/free-port.ts'

/** Sees how many statements of one process more than one request shared. */
export interface GroupWatch {
  /** What the process needs in its environment. */
  readonly env: Readonly<Record<string, string>>
  /** The number so far. */
  look(): Promise<number>
}

export async function groupWatch(): Promise<GroupWatch> {
  const port = await freePort()
  const look = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    return sharedStatementsIn(await response.text())
  }
  return {
    env: { MANAGEMENT_PORT: String(port) },
    look,
  }
}

/** How many statements more than one request shared, by the metrics of a process. */
export function sharedStatementsIn(metrics: string): number {
  const all = metrics.matchAll(/^countersign_statement_group_size_count\{.*\} (\d+)$/gm)
  const ofOne = metrics.matchAll(/^countersign_statement_group_size_bucket\{le="1",.*\} (\d+)$/gm)
  const sum = (samples: Iterable<RegExpExecArray>) =>
    [...samples].reduce((total, [, count]) => total + Number(count), 0)
  return sum(all) - sum(ofOne)
}
