import { Histogram, type Registry } from 'prom-client'

/** Up to the most requests that share a statement. */
const BUCKETS = [1, 2, 4, 8, 16, 32, 64]

interface GroupedStatements {
  onGrouped(listener: (name: string, members: number) => void): void
}

/** Counts the requests that share a statement. The label is the name of the statement for one request. */
export function watchGroups(registry: Registry, statements: GroupedStatements): void {
  const sizes = new Histogram({
    name: 'countersign_statement_group_size',
    help: 'Requests that share a statement, by the statement',
    labelNames: ['statement'] as const,
    buckets: BUCKETS,
    registers: [registry],
  })
  statements.onGrouped((statement, members) => sizes.observe({ statement }, members))
}
