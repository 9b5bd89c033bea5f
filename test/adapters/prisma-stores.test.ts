import { randomUUID } from 'node:crypto'
import test from 'ava'
import { type Connections, connectPrisma } from '../../src/adapters/persistence-prisma/connect-prisma.ts'
import { PrismaAuditTrail } from '../../src/adapters/persistence-prisma/prisma-audit-trail.ts'
import { PrismaOtpOutbox } from '../../src/adapters/persistence-prisma/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../src/adapters/persistence-prisma/prisma-user-registry.ts'
import { RawStatements } from '../../src/adapters/persistence-prisma/raw-statements.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { auditTrailContract } from '../contracts/audit-trail.contract.ts'
import { otpOutboxContract } from '../contracts/otp-outbox.contract.ts'
import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import type { Stores } from '../contracts/stores.ts'
import { userRegistryContract } from '../contracts/user-registry.contract.ts'
import { createTestDatabase } from '../database.ts'
import { NOON, POLICY, TRANSFER } from '../domain/examples.ts'

const opened: Connections[] = []

async function connect(): Promise<Connections> {
  const database = await createTestDatabase()
  const connections = connectPrisma({ url: database.url, onConnectionLost: () => {} })
  opened.push(connections)
  return connections
}

let shared: Promise<Connections> | undefined

/** One database for cases that keep to subjects of their own. */
async function inSharedDatabase(): Promise<Stores> {
  shared ??= connect()
  return storesOf(await shared)
}

/** A database for this case alone: what is due in an outbox is due to everybody. */
const inOwnDatabase = async () => storesOf(await connect())

function storesOf({ prisma, pool }: Connections): Stores {
  const statements = new RawStatements(pool)
  return {
    stepUps: new PrismaStepUps(statements),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements),
    trail: new PrismaAuditTrail(prisma),
  }
}

test.after.always('connections are closed', async () => {
  await Promise.all(opened.map(({ close }) => close()))
})

stepUpsContract('prisma', inSharedDatabase)
userRegistryContract('prisma', inSharedDatabase)
auditTrailContract('prisma', inSharedDatabase)
otpOutboxContract('prisma', inOwnDatabase)

test('nobody changes or deletes an event, except retention, which only deletes', async (t) => {
  const connections = await connect()
  const { prisma } = connections
  const [challenge, event] = Challenge.open(
    { id: randomUUID(), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    POLICY,
    NOON,
  )
  await storesOf(connections).stepUps.open(
    challenge,
    event,
    { key: 'key', fingerprint: 'f' },
    { actor: 'client:payments' },
  )

  const refused = { message: /append-only/ }
  await t.throwsAsync(prisma.$executeRaw`UPDATE challenge_events SET actor = 'nobody'`, refused)
  await t.throwsAsync(prisma.$executeRaw`DELETE FROM challenge_events`, refused)
  await t.throwsAsync(prisma.$executeRaw`TRUNCATE challenge_events`, refused)
  const asRetention = (statement: string) =>
    prisma.$transaction([
      prisma.$executeRaw`SET LOCAL countersign.retention = 'on'`,
      prisma.$executeRawUnsafe(statement),
    ])
  await t.throwsAsync(asRetention(`UPDATE challenge_events SET actor = 'nobody'`), refused)
  t.is((await asRetention('DELETE FROM challenge_events'))[1], 1)
})
