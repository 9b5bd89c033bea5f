import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { SecurityNotice } from '../../../src/domain/security-notice.ts'
import { securityNoticesContract } from '../../contracts/security-notices.contract.ts'
import { PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { waitsForLock } from '../../support/lock-waits.ts'
import { SEALS } from '../../support/seals.ts'

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')
const all: Connections[] = []

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

async function connect(): Promise<Connections> {
  const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
  all.push(connections)
  return connections
}

function storesOf({ prisma, statements }: Connections, committed?: CommitListener) {
  return {
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    securityNotices: new PrismaSecurityNotices(statements, committed),
  }
}

securityNoticesContract('prisma', async (committed) => storesOf(await connect(), committed))

/** A user whose address has just been changed, and the notice about it as a deliverer has it. */
async function noticed(t: ExecutionContext, connections?: Connections) {
  connections ??= await connect()
  const { registry, securityNotices } = storesOf(connections)
  const userId = randomUUID()
  await registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
  await registry.put({ userId, email: ELSEWHERE }, NOON, PROVENANCE)
  const [delivery] = await securityNotices.claim(1, NOON, afterNoon(30))
  const { notice } = delivery!
  return {
    connections,
    erase: () => registry.erase(userId, afterNoon(1), PROVENANCE),
    defer: () => securityNotices.record(notice, ...SecurityNotice.defer(notice, afterNoon(1))),
    send: () => securityNotices.record(notice, ...SecurityNotice.markSent(notice, afterNoon(1))),
    async assertSentAndForgotten() {
      const rows = await connections.prisma.securityNotice.findMany({ where: { subjectUserId: userId } })
      t.is(rows.at(-1)?.status, 'sent')
      t.false(JSON.stringify(rows).includes('alice@'))
    },
  }
}

test.serial('a notice that was sent loses its address with the erasure of its user', async (t) => {
  const { send, erase, assertSentAndForgotten } = await noticed(t)
  await send()

  await erase()

  await assertSentAndForgotten()
})

test.serial(
  'a notice of an erased user keeps its address while it waits, and loses it when it is sent',
  async (t) => {
    const { connections, defer, send, erase, assertSentAndForgotten } = await noticed(t)

    await erase()
    t.true(await defer())
    t.like(await connections.prisma.securityNotice.findMany(), [{ status: 'queued', recipient: ALICE }])
    t.true(await send())

    await assertSentAndForgotten()
  },
)

test.serial(
  'an erasure and the record of a mail at the same moment leave no address, whichever comes first',
  async (t) => {
    const connections = await connect()
    for (let round = 0; round < 10; round++) {
      const { send, erase, assertSentAndForgotten } = await noticed(t, connections)

      await Promise.all(round % 2 === 0 ? [erase(), send()] : [send(), erase()])

      await assertSentAndForgotten()
    }
  },
)

test.serial('a record that waits for the erasure of its user leaves no address', async (t) => {
  const { connections, send, assertSentAndForgotten } = await noticed(t)
  const { prisma } = connections

  const { sent } = await prisma.$transaction(
    async (erasure) => {
      await erasure.user.deleteMany()
      await erasure.$executeRaw`UPDATE security_notices SET recipient_erased = true`
      const sent = send()
      await waitsForLock(connections)
      return { sent }
    },
    { timeout: 30_000 },
  )

  t.true(await sent)
  await assertSentAndForgotten()
})
