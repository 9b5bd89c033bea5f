import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaServiceEvents } from '../../../src/adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../../../src/adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { serviceEventsContract } from '../../contracts/service-events.contract.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

async function connect() {
  const { url } = await createTestDatabase()
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  all.push(connections)
  const { prisma, statements } = connections
  return {
    url,
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
    serviceEvents: new PrismaServiceEvents(statements),
    endpoints: new PrismaWebhookEndpoints(statements),
  }
}

serviceEventsContract('prisma', connect)
