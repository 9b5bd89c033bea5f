import type { Connections } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { until } from '../journeys/client.ts'

const WAITING = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

/**
 * Resolves when a statement of this database waits for a row that another one holds. On a Citus (`npm run citus:prove`) it waits on the
 * server of the row. The coordinator does not see that, so it asks each server.
 */
export async function waitsForLock({
  prisma,
  statements,
}: Pick<Connections, 'prisma' | 'statements'>): Promise<void> {
  const onWorkers = `SELECT sum(result::bigint) FROM run_command_on_workers($count$${WAITING}$count$)`
  const waiting = statements.sharding === 'citus' ? `SELECT (${WAITING}) + (${onWorkers}) AS count` : WAITING
  await until(
    () => prisma.$queryRawUnsafe<{ readonly count: unknown }[]>(waiting),
    ([row]) => Number(row?.count) > 0,
  )
}
