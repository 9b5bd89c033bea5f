import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { securityNoticesContract } from '../../contracts/security-notices.contract.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

securityNoticesContract('prisma', async (committed) => {
  const { url } = await createTestDatabase()
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  all.push(connections)
  const { prisma, statements } = connections
  return {
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    securityNotices: new PrismaSecurityNotices(statements, committed),
  }
})
