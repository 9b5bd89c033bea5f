import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaStandings } from '../../../src/adapters/persistence-prisma/support/prisma-standings.ts'
import { PrismaSupportSearch } from '../../../src/adapters/persistence-prisma/support/prisma-support-search.ts'
import { findChallengesOf } from '../../../src/adapters/persistence-prisma/support/support-statements.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { type StandingStores, standingsContract } from '../../contracts/standings.contract.ts'
import { type SearchedStores, supportSearchContract } from '../../contracts/support-search.contract.ts'
import { afterNoon } from '../../domain/examples.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

async function connect(): Promise<Connections> {
  const database = await createTestDatabase()
  const connections = connectPrisma({ url: database.url, onConnectionLost: () => {} })
  all.push(connections)
  return connections
}

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

function storesOf(
  { prisma, statements }: Connections,
  committed?: CommitListener,
): StandingStores & SearchedStores {
  return {
    stepUps: new PrismaStepUps(statements, SEALS, committed),
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    standings: new PrismaStandings(statements, committed),
    securityNotices: new PrismaSecurityNotices(statements, committed),
    supportSearch: new PrismaSupportSearch(statements),
  }
}

let shared: Promise<Connections> | undefined

standingsContract('prisma', async (committed) => storesOf(await connect(), committed))
supportSearchContract('prisma', async (committed) => {
  shared ??= connect()
  return storesOf(await shared, committed)
})

test('the challenges of a subject are found through an index, whatever page is asked for', async (t) => {
  const { prisma } = await connect()
  const planOf = (...args: Parameters<typeof findChallengesOf>) =>
    prisma.$transaction(async (transaction) => {
      await transaction.$executeRaw`SET LOCAL enable_seqscan = off`
      const { text, values } = findChallengesOf(...args)
      return JSON.stringify(await transaction.$queryRawUnsafe<object[]>(`EXPLAIN ${text}`, ...values))
    })
  const place = { expiresAt: afterNoon(1), id: '0197a000-0000-7000-8000-0000000000c1' }

  for (const plan of [
    await planOf('alice', undefined, undefined, 10),
    await planOf('alice', 'payments', place, 10),
  ]) {
    t.regex(plan, /challenges_subject_user_id_expires_at_idx/)
    t.regex(plan, /Presorted Key: challenges\.expires_at/)
  }
})
