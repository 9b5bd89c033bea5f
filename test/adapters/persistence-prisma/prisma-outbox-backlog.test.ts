import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaOutboxBacklog } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-outbox-backlog.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { issued, opened } from '../../contracts/stores.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

let connections: Connections

test.before(async () => {
  connections = connectPrisma({ ...(await createTestDatabase()), onConnectionLost: () => {} })
})

test.after.always('the connections are closed', async () => {
  await connections?.close()
})

test('the backlog is what is not handed over yet, and its age that of what is due', async (t) => {
  const { prisma, statements, pool } = connections
  t.is(pool.totalCount, 0)
  const backlog = new PrismaOutboxBacklog(prisma)
  t.deepEqual(await backlog.measure(NOON), { queued: 0, oldestDueAt: undefined })
  t.is(pool.totalCount, 1)

  const stores = {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
  for (const seconds of [1, 2, 3, 4]) {
    await issued(stores, (await opened(stores)).id, afterNoon(seconds))
  }
  const [first, second] = await stores.outbox.claim(2, afterNoon(2), afterNoon(32))
  await stores.outbox.record(first!.issuance, ...OtpIssuance.markSent(first!.issuance, 'm-1', afterNoon(3)))

  t.deepEqual(await backlog.measure(afterNoon(2)), { queued: 3, oldestDueAt: undefined })
  t.deepEqual(await backlog.measure(afterNoon(10)), { queued: 3, oldestDueAt: afterNoon(3) })
  t.deepEqual(await backlog.measure(afterNoon(60)), { queued: 3, oldestDueAt: afterNoon(3) })
  t.is(second!.issuance.status, 'queued')
})

test('a database that is away is StorageUnavailable', async (t) => {
  const { prisma } = connectPrisma({
    url: 'postgresql://nobody:x@127.0.0.1:1/none',
    onConnectionLost: () => {},
  })

  await t.throwsAsync(new PrismaOutboxBacklog(prisma).measure(NOON), { instanceOf: StorageUnavailable })
})
