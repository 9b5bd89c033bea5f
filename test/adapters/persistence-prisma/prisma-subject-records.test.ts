import { createHash, randomUUID } from 'node:crypto'
import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaLockNotices } from '../../../src/adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaStandings } from '../../../src/adapters/persistence-prisma/support/prisma-standings.ts'
import { PrismaSubjectRecords } from '../../../src/adapters/persistence-prisma/support/prisma-subject-records.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { consumed, locked, opened, PROVENANCE, verified } from '../../contracts/stores.ts'
import { afterNoon, NOON, POLICY } from '../../domain/examples.ts'
import { createTestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

async function connect() {
  const connections = connectPrisma({ ...(await createTestDatabase()), onConnectionLost: () => {} })
  all.push(connections)
  const { prisma, statements } = connections
  return {
    prisma,
    records: new PrismaSubjectRecords(prisma),
    standings: new PrismaStandings(statements),
    lockNotices: new PrismaLockNotices(statements),
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
}
type Stores = Awaited<ReturnType<typeof connect>>

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

/** A life that leaves a row in every table: a lock, an unlocking, a changed address, a try at a challenge of somebody else. */
async function lifeOf(stores: Stores, userId: string, address: string) {
  const { registry, stepUps, standings, prisma } = stores
  // A client with an endpoint, so that its events are queued.
  await prisma.$executeRaw`
    INSERT INTO webhook_endpoints (client_id, secrets, registered_by)
    VALUES ('payments', '[]', 'configuration') ON CONFLICT DO NOTHING`
  await registry.put({ userId, email: EmailAddress.parse(`old-${address}`) }, NOON, PROVENANCE)
  await registry.put({ userId, email: EmailAddress.parse(address) }, NOON, PROVENANCE)
  const { id } = await opened(stores, userId)
  await issuedTo(stores, id, address)
  await verified(stores, id)
  await consumed(stores, id)
  const second = await opened(stores, userId)
  await issuedTo(stores, second.id, address, 3)
  await locked(stores, second.id, afterNoon(4))
  const unlocking = SubjectStanding.unlock((await standings.find(userId))!, undefined, afterNoon(5))!
  await standings.saveUnlocking(unlocking, { actor: 'agent:somebody-at-the-desk' })
  const foreign = await opened(stores)
  await stepUps.recordStranger(
    { type: 'stranger-refused', challengeId: foreign.id, subjectUserId: userId, at: NOON },
    PROVENANCE,
  )
}

/** Issues a code to an address. */
async function issuedTo({ stepUps }: Stores, challengeId: string, address: string, seconds = 0) {
  const stepUp = (await stepUps.load(challengeId))!
  const recipient = EmailAddress.parse(address)
  const demand = { id: randomUUID(), keyId: 'k1', recipient }
  const saved = await stepUps.save(StepUp.issueOtp(stepUp, demand, POLICY, afterNoon(seconds)), PROVENANCE)
  if (!saved) throw new Error('lost a race that nobody runs')
}

test('the export of a user leaves out no table that has a row about them', async (t) => {
  const stores = await connect()
  const [userId, other] = [`u-${randomUUID()}`, `u-${randomUUID()}`]
  const address = 'somebody@example.com'
  await lifeOf(stores, userId, address)
  await lifeOf(stores, other, 'other@example.com')

  const tables = await stores.records.rowsAbout(userId)

  const challenges = await stores.prisma.challenge.findMany({ where: { subjectUserId: userId } })
  // The address itself is not in a table of counts.
  const hash = createHash('sha256').update(address).digest('hex')
  const signs = [userId, address, hash, ...challenges.map(({ id }) => id)]
  const named = await stores.prisma.$queryRaw<{ table: string }[]>`
    SELECT table_name AS table FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
  for (const { table } of named) {
    const rows = await stores.prisma.$queryRawUnsafe<{ text: string }[]>(
      `SELECT to_jsonb(t)::text AS text FROM "${table}" t`,
    )
    const about = rows.filter(({ text }) => signs.some((sign) => text.includes(sign)))
    t.is(tables[table]?.length ?? 0, about.length, table)
  }
  const empty = Object.entries(tables).filter(([, rows]) => rows.length === 0)
  t.deepEqual(
    empty.map(([table]) => table),
    [],
    'the life of the test leaves a row in each table of the export',
  )
})

test('a table that names a subject, a challenge or an address is in the export', async (t) => {
  const { prisma, records } = await connect()
  const named = await prisma.$queryRaw<{ table: string }[]>`
    SELECT DISTINCT table_name AS table
    FROM information_schema.columns
    WHERE table_schema = 'public'
      AND (column_name ~ '(subject|user_id|challenge_id|email|recipient|mailbox|address)')`

  const tables = await records.rowsAbout('nobody')

  t.true(named.length >= 10)
  t.deepEqual(
    named.map(({ table }) => table).filter((table) => !(table in tables)),
    [],
  )
  t.true(Object.values(tables).every((rows) => rows.length === 0))
})

test('the export has whole addresses and summaries, and neither seals nor the name of an agent', async (t) => {
  const stores = await connect()
  await lifeOf(stores, 'alice', 'alice@example.com')

  const tables = await stores.records.rowsAbout('alice')

  t.like(tables.users?.[0], { user_id: 'alice', email: 'alice@example.com' })
  t.truthy(tables.challenges?.[0]?.operation_summary)
  t.is(tables.otp_issuances?.[0]?.recipient, 'alice@example.com')
  t.is(tables.mailbox_issuances?.length, 1)
  const text = JSON.stringify(tables)
  t.notRegex(text, /seal"|somebody-at-the-desk/)
  t.true(tables.challenge_events?.some(({ type, actor }) => type === 'subject-unlocked' && actor === 'agent'))
})

test('the export has every event about the user, in order, also one from before the chains', async (t) => {
  const stores = await connect()
  await lifeOf(stores, 'alice', 'alice@example.com')
  // An event as it was stored before there were chains.
  await stores.prisma.$transaction([
    // Takes the next one to all servers of a Citus, and means nothing elsewhere.
    stores.prisma.$executeRaw`SET LOCAL citus.propagate_set_commands = 'local'`,
    stores.prisma.$executeRaw`SET LOCAL session_replication_role = replica`,
    stores.prisma.$executeRaw`
      INSERT INTO challenge_events (bucket, subject_user_id, type, occurred_at, actor, details)
      VALUES (bucket_of('alice'), 'alice', 'user-put', ${NOON}::timestamptz, 'client:crm', '{}')`,
  ])

  const { challenge_events: events } = await stores.records.rowsAbout('alice')

  const stored = await stores.prisma.challengeEvent.findMany({
    where: { subjectUserId: 'alice' },
    orderBy: { id: 'asc' },
  })
  t.deepEqual(
    events?.map(({ id }) => id),
    stored.map(({ id }) => Number(id)),
  )
  t.is(stored.filter(({ position }) => position === null).length, 1)
})
