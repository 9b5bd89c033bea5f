import { Prisma } from '../generated/client.ts'
import type { Sharding } from './sharding.ts'

/**
 * Lets the statements of a transaction wait for locks for `time` at most, as in `500ms`. With Citus the locks are on several servers, which
 * set_config() does not reach. There SET LOCAL does.
 */
export async function limitLockWaits(
  transaction: Prisma.TransactionClient,
  sharding: Sharding,
  time: string,
): Promise<void> {
  await transaction.$queryRaw`SELECT set_config('lock_timeout', ${time}, TRUE)`
  if (sharding === 'none') return
  await transaction.$executeRaw`SET LOCAL citus.propagate_set_commands = 'local'`
  await transaction.$executeRaw(Prisma.sql`SET LOCAL lock_timeout = ${Prisma.raw(`'${time}'`)}`)
}
