import { Gauge, type Registry } from 'prom-client'

/** The connections of a process to its database, as node-postgres counts them. */
interface Pool {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

/** Measures the pool of connections on each scrape. */
export function watchPool(registry: Registry, pool: Pool): void {
  new Gauge({
    name: 'countersign_database_connections',
    help: 'Connections to the database',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { totalCount, idleCount } = pool
      this.set({ state: 'busy' }, totalCount - idleCount)
      this.set({ state: 'idle' }, idleCount)
    },
  })
  new Gauge({
    name: 'countersign_database_waiting_queries',
    help: 'Queries that wait for a free connection',
    registers: [registry],
    collect() {
      this.set(pool.waitingCount)
    },
  })
}
