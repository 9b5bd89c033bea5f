import { createHash } from 'node:crypto'
import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaStandings } from '../../../src/adapters/persistence-prisma/support/prisma-standings.ts'
import { PrismaSupportSearch } from '../../../src/adapters/persistence-prisma/support/prisma-support-search.ts'
import {
  findChallengesOf,
  findCodesIssued,
  findSubjectsOfMailbox,
} from '../../../src/adapters/persistence-prisma/support/support-statements.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { type StandingStores, standingsContract } from '../../contracts/standings.contract.ts'
import { PROVENANCE } from '../../contracts/stores.ts'
import { type SearchedStores, supportSearchContract } from '../../contracts/support-search.contract.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

async function connect(): Promise<Connections> {
  const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
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
    mailOutcomes: new PrismaMailOutcomes(statements, committed),
    suppressions: new PrismaSuppressions(statements, committed),
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

/** How PostgreSQL runs a statement if it reads no table from one end to the other. */
async function planOf({ prisma, statements }: Connections, { text, values }: Prisma.Sql): Promise<string> {
  return prisma.$transaction(async (transaction) => {
    // The servers of a Citus plan for a few rows, and would rather sort them.
    if (statements.sharding === 'citus') {
      await transaction.$executeRaw`SET LOCAL citus.propagate_set_commands = 'local'`
      await transaction.$executeRaw`SET LOCAL enable_sort = off`
    }
    await transaction.$executeRaw`SET LOCAL enable_seqscan = off`
    return JSON.stringify(await transaction.$queryRawUnsafe<object[]>(`EXPLAIN ${text}`, ...values))
  })
}

test('the challenges of a subject are found through an index, whatever page is asked for', async (t) => {
  const connections = await connect()
  const place = { expiresAt: afterNoon(1), id: '0197a000-0000-7000-8000-0000000000c1' }

  for (const plan of [
    await planOf(connections, findChallengesOf('alice', undefined, undefined, 10)),
    await planOf(connections, findChallengesOf('alice', 'payments', place, 10)),
  ]) {
    t.regex(plan, /challenges_subject_user_id_expires_at_idx/)
    t.regex(plan, /Presorted Key: challenges\.expires_at/)
    t.notRegex(plan, /Task Count: (?!1\b)/, 'a Citus asks one server')
  }
})

test('a mark is looked up among the codes of its minutes, which their ids lead to', async (t) => {
  const plan = await planOf(await connect(), findCodesIssued(NOON, afterNoon(60)))

  t.regex(plan, /otp_issuances_(?:pkey|id_idx)/)
})

test('a mailbox is looked up by its hash through indexes, in a database of any language', async (t) => {
  const connections = await connect()
  await connections.prisma.$executeRaw`ALTER TABLE users ALTER email TYPE text COLLATE "tr-x-icu"`
  const { registry, supportSearch } = storesOf(connections)
  const email = EmailAddress.parse('ALICE@INFO.EXAMPLE')
  await registry.put({ userId: 'alice', email }, NOON, PROVENANCE)
  const hash = createHash('sha256').update('alice@info.example').digest('hex')

  const plan = await planOf(connections, findSubjectsOfMailbox(hash))

  t.regex(plan, /users_mailbox_hash_idx/)
  t.regex(plan, /subject_standings_suppressed_mailbox_hash_idx/)
  t.deepEqual(await supportSearch.subjectsOfMailbox(hash), ['alice'])
})

test('no mail is from before 1970, and to look for one is no error', async (t) => {
  const { supportSearch } = storesOf(await connect())
  const minute = new Date('1003-01-01T12:00:00Z')
  t.deepEqual(await supportSearch.challengesMarked('QB', minute, new Date(minute.getTime() + 60_000)), [])
})
