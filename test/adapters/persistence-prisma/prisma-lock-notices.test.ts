import { randomUUID } from 'node:crypto'
import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaLockNotices } from '../../../src/adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { LockNotice } from '../../../src/domain/lock-notice.ts'
import { lockNoticesContract } from '../../contracts/lock-notices.contract.ts'
import { issued, type LockNoticeStores, locked, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON, POLICY } from '../../domain/examples.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { waitsForLock } from '../../support/lock-waits.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

async function connect(): Promise<Connections> {
  const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
  all.push(connections)
  return connections
}

function storesOf({ prisma, statements }: Connections, committed?: CommitListener): LockNoticeStores {
  return {
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    lockNotices: new PrismaLockNotices(statements, committed),
  }
}

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

lockNoticesContract('prisma', async (committed) => storesOf(await connect(), committed))

test('of an erased user no address is left, neither of mails that were sent nor of those that were not', async (t) => {
  const connections = await connect()
  const { prisma } = connections
  const stores = storesOf(connections)
  const lasting = { ...POLICY, challengeLifetimeInSeconds: 86_400 }
  const { id, subjectUserId: userId } = await opened(stores, randomUUID(), lasting)
  await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
  await issued(stores, id)
  await locked(stores, id)
  const [delivery] = await stores.lockNotices.claim(1, NOON, afterNoon(30))
  const { notice } = delivery!
  await stores.lockNotices.record(notice, ...LockNotice.markSent(notice, 'm', afterNoon(1)))
  await locked(stores, id, afterNoon(900))

  await stores.registry.erase(userId, afterNoon(901), PROVENANCE)

  const notices = await prisma.lockNotice.findMany({ orderBy: { lockedAt: 'asc' } })
  t.deepEqual(
    notices.map(({ status, failureReason }) => [status, failureReason]),
    [
      ['sent', null],
      ['failed', 'user-erased'],
    ],
  )
  const issuances = await prisma.otpIssuance.findMany()
  t.false(JSON.stringify([notices, issuances]).includes(ALICE))
})

test('an erasure waits for a hand-over that is being recorded, and leaves it recorded', async (t) => {
  const connections = await connect()
  const { prisma } = connections
  const stores = storesOf(connections)
  const { id, subjectUserId: userId } = await opened(stores)
  await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
  await locked(stores, id)

  const { erased } = await prisma.$transaction(
    async (recording) => {
      await recording.lockNotice.updateMany({ data: { status: 'sent', nextAttemptAt: null, sentAt: NOON } })
      const erased = stores.registry.erase(userId, afterNoon(1), PROVENANCE)
      await waitsForLock(connections)
      return { erased }
    },
    { timeout: 30_000 },
  )
  await erased

  const [notice] = await prisma.lockNotice.findMany()
  t.like(notice, { status: 'sent', failedAt: null })
  t.not(notice?.recipient, ALICE)
})
