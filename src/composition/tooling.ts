import { withTrailSnapshot } from '../adapters/persistence-prisma/audit-trail/pg-trail-snapshot.ts'
import { PrismaAuditTrail } from '../adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaRetention } from '../adapters/persistence-prisma/retention/prisma-retention.ts'
import { type Seals, UNSEALED } from '../adapters/persistence-prisma/seals/row-seals.ts'
import { PrismaServiceEvents } from '../adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaStepUps } from '../adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { AuditTrail } from '../application/ports/audit-trail.ts'
import type { Clock } from '../application/ports/clock.ts'
import type { Retention } from '../application/ports/retention.ts'
import type { ServiceEvents } from '../application/ports/service-events.ts'
import type { StepUps } from '../application/ports/step-ups.ts'
import type { TrailSnapshot } from '../application/ports/trail-snapshot.ts'
import type { UserRegistry } from '../application/ports/user-directory.ts'
import type { WebhookEndpoints } from '../application/ports/webhook-endpoints.ts'
import type { DatabaseLocation } from '../config/read-config.ts'
import { openDatabase } from './open-database.ts'

/** The storage as the commands need it. */
export interface Storage {
  readonly stepUps: Pick<StepUps, 'load'>
  readonly trail: AuditTrail
  readonly retention: Retention
  readonly registry: UserRegistry
  readonly webhookEndpoints: WebhookEndpoints
  readonly serviceEvents: ServiceEvents
  /** Reads the whole trail as of one instant. */
  withTrail<Result>(use: (snapshot: TrailSnapshot) => Promise<Result>): Promise<Result>
  readonly clock: Clock
}

/** The commands show rows as they are. They have no keys, and so they write none that the service would accept. */
const UNCHECKED: Seals = {
  ofDemand: () => null,
  ofDecision: () => UNSEALED,
  forgeryIn: () => undefined,
  forgeryInDemand: () => undefined,
}

/** Runs `use` with the storage open, and closes it afterwards. */
export async function withStorage<Result>(
  location: DatabaseLocation,
  use: (storage: Storage) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(location)
  const { prisma, statements, pool, close } = connectPrisma({
    url: database.url,
    sharding: location.databaseSharding,
    onConnectionLost: () => {},
  })
  try {
    return await use({
      stepUps: new PrismaStepUps(statements, UNCHECKED),
      trail: new PrismaAuditTrail(prisma),
      retention: new PrismaRetention(prisma),
      registry: new PrismaUserRegistry(prisma),
      webhookEndpoints: new PrismaWebhookEndpoints(statements),
      serviceEvents: new PrismaServiceEvents(statements),
      withTrail: (use) => withTrailSnapshot(pool, use),
      clock: { now: () => new Date() },
    })
  } finally {
    await close()
    await database.stop()
  }
}
