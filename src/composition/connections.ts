import { ContainerModule } from 'inversify'
import { connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Sharding } from '../adapters/persistence-prisma/connection/sharding.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaClient } from '../adapters/persistence-prisma/generated/client.ts'
import { Log, StorageConnections, Traces } from './container-keys.ts'

/** The connections of one thread to the database. Nothing connects before the first query. */
export function connections(url: string, sharding: Sharding, poolSize?: number): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(StorageConnections).toResolvedValue(
      (logger, tracing) =>
        connectPrisma({
          url,
          poolSize,
          onlyWritable: true,
          sharding,
          onConnectionLost: (error) => logger.warn({ err: error }, 'database connection lost'),
          hook: tracing?.statements,
        }),
      [Log, Traces],
    )
    bind(PrismaClient).toResolvedValue(({ prisma }) => prisma, [StorageConnections])
    bind(Statements).toResolvedValue(({ statements }) => statements, [StorageConnections])
  })
}
