import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { movedAddressContract } from '../../contracts/moved-address.contract.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

let connecting: Promise<Connections> | undefined

/** One database for all cases, which keep to subjects of their own. */
async function connect(): Promise<Connections> {
  return connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
}

test.after.always('connections are closed', async () => {
  await (await connecting)?.close()
})

movedAddressContract('prisma', async () => {
  connecting ??= connect()
  const { prisma, statements } = await connecting
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
})
