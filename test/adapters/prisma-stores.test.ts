import test from 'ava'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connect-prisma.ts'
import type { PrismaClient } from '../../src/adapters/persistence-prisma/generated/client.ts'
import { PrismaOtpOutbox } from '../../src/adapters/persistence-prisma/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../src/adapters/persistence-prisma/prisma-user-registry.ts'
import { otpOutboxContract } from '../contracts/otp-outbox.contract.ts'
import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import { userRegistryContract } from '../contracts/user-registry.contract.ts'
import { createTestDatabase, type TestDatabase } from '../database.ts'

const databases: TestDatabase[] = []
const clients: PrismaClient[] = []

/** Each case gets a database of its own: what is due in an outbox is due to everybody. */
async function create() {
  const database = await createTestDatabase()
  const prisma = connectPrisma({ url: database.url, onConnectionLost: () => {} })
  databases.push(database)
  clients.push(prisma)
  return {
    stepUps: new PrismaStepUps(prisma),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(prisma),
  }
}

test.after.always('databases are dropped', async () => {
  await Promise.all(clients.map((client) => client.$disconnect()))
  for (const database of databases) await database.drop()
})

stepUpsContract('prisma', create)
userRegistryContract('prisma', create)
otpOutboxContract('prisma', create)
