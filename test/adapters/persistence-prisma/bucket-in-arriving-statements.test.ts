import { randomUUID } from 'node:crypto'
import { glob, readFile } from 'node:fs/promises'
import test from 'ava'
import { withTrailSnapshot } from '../../../src/adapters/persistence-prisma/audit-trail/pg-trail-snapshot.ts'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { PrismaTrailAnchors } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-trail-anchors.ts'
import { DatabaseCheck } from '../../../src/adapters/persistence-prisma/connection/database-check.ts'
import { DatabaseHealth } from '../../../src/adapters/persistence-prisma/connection/database-health.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { PrismaLockNotices } from '../../../src/adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaOutboxBacklog } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-outbox-backlog.ts'
import { PrismaRetention } from '../../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/prisma-security-notices.ts'
import { PrismaServiceEventBacklog } from '../../../src/adapters/persistence-prisma/service-events/prisma-service-event-backlog.ts'
import { PrismaServiceEvents } from '../../../src/adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../../../src/adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaChallengeExpiries } from '../../../src/adapters/persistence-prisma/step-ups/prisma-challenge-expiries.ts'
import { PrismaReportableChallenges } from '../../../src/adapters/persistence-prisma/step-ups/prisma-reportable-challenges.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaStandings } from '../../../src/adapters/persistence-prisma/support/prisma-standings.ts'
import { PrismaSubjectRecords } from '../../../src/adapters/persistence-prisma/support/prisma-subject-records.ts'
import { PrismaSupportSearch } from '../../../src/adapters/persistence-prisma/support/prisma-support-search.ts'
import { findChallengesOfCodes } from '../../../src/adapters/persistence-prisma/support/support-statements.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { recordMailEvent } from '../../../src/application/mail/record-mail-event.ts'
import { idInBucketOf } from '../../../src/domain/bucket.ts'
import { Challenge, type PendingChallenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { LockNotice } from '../../../src/domain/lock-notice.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { SecurityNotice, type SecurityNoticeDraft } from '../../../src/domain/security-notice.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { PAYMENTS } from '../../contracts/service-events.contract.ts'
import { idOf, issued, locked, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON, POLICY, TRANSFER } from '../../domain/examples.ts'
import { lookUpsWithoutBucket, SUBJECT_TABLES } from '../../support/bucket-look-ups.ts'
import { createCitusLookalike } from '../../support/citus-lookalike.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'
import { type Arrived, connectWatched, type WatchedConnections } from '../../support/watched-prisma.ts'

/*
 * Runs each statement of the adapter, and reads the plan of each as it arrived at the database. Each names the bucket of every table that it
 * reads, except what is listed here. bucket-in-statements.test.ts has those for groups of requests.
 */

const ADAPTER = new URL('../../../src/adapters/persistence-prisma/', import.meta.url)

/** What goes over all shards: by the name of the statement, or by the file and the function that send it. */
type Searches = Readonly<Record<string, readonly [tables: readonly string[], why: string]>>

const PURGE = 'the purge walks along the time, over all subjects'
const TRAIL = 'anchors and the verification are about the trail as a whole'
const BACKLOG = 'the metrics and the check count what waits of all subjects'
const DUE = 'what is due is due to anybody'
const OF_CLIENT = 'the events of a client are about all its subjects'
const MAILBOX = 'several subjects may have one address'
const MARK = 'the mark of a mail says nothing about its subject'
const OLD_ID = 'an id from before the buckets does not say where it is'

const EVERYWHERE: Searches = {
  'audit-trail/pg-trail-snapshot.ts': [['challenge_events', 'trail_heads'], TRAIL],
  'audit-trail/prisma-trail-anchors.ts digestOf': [['challenge_events'], TRAIL],
  'connection/database-check.ts': [['otp_issuances'], BACKLOG],
  'outbox-backlog.measure': [['otp_issuances'], BACKLOG],
  'service-event-backlog.measure': [['service_events'], BACKLOG],
  'retention/prisma-retention.ts oldestExpiry': [['challenges'], PURGE],
  'retention/prisma-retention.ts purgeChallenges': [['challenges', 'service_events'], PURGE],
  'retention/prisma-retention.ts purgeNotices': [['challenge_strangers', 'security_notices'], PURGE],
  'retention/prisma-retention.ts trailOverdueInSeconds': [['challenge_events'], PURGE],
  'service-events.finish-with-position': [['service_events'], OF_CLIENT],
  'service-events.finish-without-position': [['service_events'], OF_CLIENT],
  'service-events.replay': [['service_events'], OF_CLIENT],
  'step-ups/prisma-challenge-expiries.ts take': [['challenge_expiries'], DUE],
  // The id comes from a mail of the service, so nobody makes one up.
  'step-ups/prisma-reportable-challenges.ts challengeOf': [['otp_issuances'], OLD_ID],
  'support/prisma-subject-records.ts': [
    ['challenge_strangers'],
    'a stranger left rows in the buckets of others',
  ],
  'support.challenges-of-codes': [['challenges', 'otp_issuances'], MARK],
  'support.codes-issued': [['otp_issuances'], MARK],
  'support.subjects-of-mailbox': [['subject_standings', 'users'], MAILBOX],
  'suppressions.find-by-mailbox': [['subject_standings'], MAILBOX],
}
const ON_ONE_SERVER: Searches = {
  ...EVERYWHERE,
  'audit-trail/prisma-audit-trail.ts find': [
    ['challenge_events'],
    'the events of strangers are in their buckets, and one server has an index by the challenge',
  ],
  'audit-trail/prisma-trail-anchors.ts settledEnd': [['challenge_events'], TRAIL],
  'lock-notices.claim': [['lock_notices'], DUE],
  'mail-outcomes.find-bucket': [['otp_issuances'], OLD_ID],
  'otp-outbox.claim': [['otp_issuances'], DUE],
  'security-notices.claim': [['security_notices'], DUE],
  'service-events.claim': [['service_events'], DUE],
  'service-events.list': [['challenge_events', 'service_events'], OF_CLIENT],
  'step-ups.find-bucket': [['challenges'], OLD_ID],
  'step-ups.find-by-idempotency-key': [['challenges'], 'a key belongs to a client'],
  'step-ups/prisma-challenge-expiries.ts takeDue': [['challenge_expiries'], DUE],
}
const ON_CITUS: Searches = {
  ...EVERYWHERE,
  'audit-trail/prisma-audit-trail.ts find': [['challenge_events'], OLD_ID],
  'audit-trail/prisma-trail-anchors.ts oldEnd': [['challenge_events'], TRAIL],
  'lock-notices.find-due': [['lock_notices'], DUE],
  'otp-issuances.find-due': [['otp_issuances'], DUE],
  'security-notices.find-due': [['security_notices'], DUE],
  'service-events.find-due': [['service_events'], DUE],
  'service-events.find-page': [['service_events'], OF_CLIENT],
  'service-events.find-with-position': [['service_events'], OF_CLIENT],
  'service-events.find-without-position': [['service_events'], OF_CLIENT],
  'service-events.list': [['service_events'], OF_CLIENT],
  'step-ups/prisma-challenge-expiries.ts takeOneByOne': [['challenge_expiries'], DUE],
}

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')
const LATER = afterNoon(100_000)
const BY_OPERATOR = { actor: 'operator:cli' }

function storesOf({ prisma, statements }: WatchedConnections) {
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
    mailOutcomes: new PrismaMailOutcomes(statements),
    suppressions: new PrismaSuppressions(statements),
    lockNotices: new PrismaLockNotices(statements),
    securityNotices: new PrismaSecurityNotices(statements),
    reportable: new PrismaReportableChallenges(prisma),
    endpoints: new PrismaWebhookEndpoints(statements),
    serviceEvents: new PrismaServiceEvents(statements),
    expiries: new PrismaChallengeExpiries(prisma),
    standings: new PrismaStandings(statements),
    search: new PrismaSupportSearch(statements),
  }
}

/** Everything that the adapter does, each at least once. */
async function everything(connections: WatchedConnections, url: string): Promise<void> {
  const { prisma, statements, pool } = connections
  const stores = storesOf(connections)
  await registerEndpoint(stores)
  await changeUsers(stores)
  await decide(stores)
  await deliverMails(stores)
  await deliverEvents(stores)
  await support(stores)
  // No mark of these ids leads here.
  await statements.query(findChallengesOfCodes([randomUUID()]))
  await new PrismaSubjectRecords(prisma).rowsAbout('alice')
  await new PrismaOutboxBacklog(prisma).measure(LATER)
  await new PrismaServiceEventBacklog(prisma).measure(LATER)
  await anchor(new PrismaTrailAnchors(prisma))
  await connections.as('audit-trail/pg-trail-snapshot.ts', () =>
    withTrailSnapshot(pool, async (snapshot) => {
      await snapshot.anchors()
      for await (const _ of snapshot.events());
      for await (const _ of snapshot.heads());
    }),
  )
  await connections.as('connection/database-check.ts', async () => {
    for await (const _ of new DatabaseCheck({ url } as never, { now: () => NOON }).run());
  })
  await new DatabaseHealth(connections).problem()
  await endTimes(stores, new PrismaRetention(prisma))
}

type Stores = ReturnType<typeof storesOf>

async function registerEndpoint(stores: Stores): Promise<void> {
  const { endpoints, serviceEvents } = stores
  const reader = { ...PAYMENTS, url: undefined }
  await endpoints.save(reader, undefined)
  await opened(stores)
  await serviceEvents.number(10)
  await opened(stores)
  await endpoints.save(PAYMENTS, reader)
  await endpoints.find('payments')
  await endpoints.all()
}

async function changeUsers(stores: Stores): Promise<void> {
  const { registry } = stores
  await registry.put({ userId: 'alice', email: ALICE }, NOON, PROVENANCE)
  await registry.putAll([{ userId: 'bob', email: ALICE }], NOON, PROVENANCE)
  await registry.find('alice')
  await registry.put({ userId: 'erin', email: ALICE }, NOON, PROVENANCE)
  const { id } = await opened(stores, 'erin')
  await issued(stores, id)
  await locked(stores, id)
  await opened(stores, 'erin')
  await registry.put({ userId: 'erin', email: ELSEWHERE }, NOON, PROVENANCE)
  await opened(stores, 'erin')
  await registry.erase('erin', NOON, PROVENANCE, true)
  await registry.erase('unknown', NOON, PROVENANCE)
}

async function decide(stores: Stores): Promise<void> {
  const { stepUps, trail } = stores
  const key = { key: 'k', fingerprint: 'f' }
  const opening = [
    ...Challenge.open(
      { id: idOf('alice'), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
      POLICY,
      NOON,
    ),
    key,
    PROVENANCE,
  ] as const
  await stepUps.open(...opening, 5)
  await stepUps.open(...opening)
  const another = Challenge.open(
    { id: idOf('alice'), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    POLICY,
    NOON,
  )
  await stepUps.open(...another, { key: 'k2', fingerprint: 'f' }, PROVENANCE, 1).catch(() => {})
  await stepUps.load(randomUUID())
  const { id } = opening[0]
  const mailbox = (atMost: number) => ({ key: EmailAddress.mailboxKey(ALICE), atMost })
  const decision = StepUp.issueOtp(
    (await stepUps.load(id))!,
    { id: idOf('alice'), keyId: 'k1', recipient: ALICE },
    POLICY,
    NOON,
  )
  await stepUps.save({ ...decision, mailbox: mailbox(100) }, PROVENANCE)
  const more = StepUp.issueOtp(
    (await stepUps.load(id))!,
    { id: idOf('alice'), keyId: 'k1', recipient: ALICE },
    POLICY,
    afterNoon(60),
  )
  await stepUps.save({ ...more, mailbox: mailbox(1) }, PROVENANCE).catch(() => {})
  await stepUps.recordStranger(
    { type: 'stranger-refused', challengeId: id, subjectUserId: 'mallory', at: NOON },
    PROVENANCE,
  )
  await trail.eventsOf(id)
  await trail.eventsOf(randomUUID())

  const reported = await opened(stores, 'carol')
  await issued(stores, reported.id)
  const { challenge, standing } = (await stepUps.load(reported.id))!
  const [cancelled, event] = Challenge.cancel(challenge as PendingChallenge, 'email-address-changed', NOON)
  const securityNotice: SecurityNoticeDraft = {
    kind: 'address-changed',
    subjectUserId: 'carol',
    recipient: ALICE,
    happenedAt: NOON,
  }
  await stepUps.save({ challenge: cancelled, standing, securityNotice, events: [event] }, PROVENANCE)
}

async function deliverMails(stores: Stores): Promise<void> {
  const { outbox, mailOutcomes, lockNotices, securityNotices, suppressions } = stores
  const lockedOne = await opened(stores, 'dave')
  await issued(stores, lockedOne.id)
  await locked(stores, lockedOne.id)
  for (const { issuance } of await outbox.claim(50, NOON, afterNoon(30))) {
    await outbox.record(issuance, ...OtpIssuance.markSent(issuance, 'm', NOON))
    for (const news of [
      { outcome: 'delayed', at: NOON },
      { outcome: 'delivered', at: NOON },
      { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
    ] as const) {
      await recordMailEvent(mailOutcomes, issuance.id, news, PROVENANCE)
    }
  }
  await mailOutcomes.load(randomUUID())
  for (const { notice } of await lockNotices.claim(50, NOON, afterNoon(30))) {
    await lockNotices.record(notice, ...LockNotice.markSent(notice, 'm', NOON))
  }
  for (const { notice } of await securityNotices.claim(50, NOON, afterNoon(30))) {
    await securityNotices.record(notice, ...SecurityNotice.markSent(notice, NOON))
  }
  await suppressions.findByMailbox(EmailAddress.mailboxKey(ALICE))
  const standing = (await suppressions.findBySubject('alice'))!
  await suppressions.save(standing, [], BY_OPERATOR)
}

async function deliverEvents({ serviceEvents, endpoints }: Stores): Promise<void> {
  await serviceEvents.number(1000)
  const room = { perEndpoint: 5, taken: new Map<string, number>() }
  const [first, second, third, fourth] = await serviceEvents.claim(room, LATER, afterNoon(100_060))
  await serviceEvents.record(first!, { status: 'accepted' }, false, LATER)
  const deferred = { status: 'deferred', nextAttemptAt: afterNoon(105_000) } as const
  await serviceEvents.record(second!, deferred, false, LATER)
  // The endpoint has failed for an hour: it is paused, and gets a try.
  await serviceEvents.record(third!, deferred, false, afterNoon(104_000))
  await serviceEvents.claim(room, afterNoon(200_000), afterNoon(200_060))
  await serviceEvents.record(fourth!, { status: 'given-up' }, true, LATER)
  await serviceEvents.after('payments', 0, 10)
  await serviceEvents.replay('payments', { after: 0 }, LATER)
  await endpoints.remove({ clientId: 'payments', registeredBy: 'configuration' })
}

async function support(stores: Stores): Promise<void> {
  const { standings, search, reportable } = stores
  for (const email of [ALICE, undefined]) {
    const { id, subjectUserId } = await opened(stores)
    const { id: issuanceId, number } = await issued(stores, id)
    await locked(stores, id)
    const standing = (await standings.find(subjectUserId))!
    const unlocking = SubjectStanding.unlock(standing, email && { email }, afterNoon(1))!
    await standings.saveUnlocking(unlocking, BY_OPERATOR)
    await search.challengesOf(subjectUserId, { limit: 10 })
    const mark = OtpIssuance.reference({ challengeId: id, subjectUserId, number })
    const [from, until] = [new Date(0), new Date('2200-01-01')]
    await search.challengesMarked(mark, from, until)
    await reportable.challengeOf(issuanceId)
    await reportable.liveOf(subjectUserId, NOON, 10)
  }
  await reportable.challengeOf(randomUUID())
  await search.subjectsOfMailbox('00')
}

async function anchor(anchors: PrismaTrailAnchors): Promise<void> {
  const lastId = (await anchors.settledEnd()) ?? 0
  const { events, digest } = await anchors.digestOf(1, 1_000_000)
  await anchors.store({
    ...{ number: 1, firstId: lastId + 1, lastId, events, digest, previous: '', keyId: 's1', signature: 's' },
    signedAt: new Date(),
  })
  await anchors.newest()
}

async function endTimes({ expiries, stepUps }: Stores, retention: PrismaRetention): Promise<void> {
  const old = idInBucketOf('alice', '01890000-0000-7000-8000-000000000001')
  const [challenge, event] = Challenge.open(
    { id: old, clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    POLICY,
    NOON,
  )
  await stepUps.open(challenge, event, { key: 'old', fingerprint: 'f' }, PROVENANCE)
  await expiries.take(LATER, 100)
  await retention.oldestExpiry()
  await retention.trailOverdueInSeconds(1)
  for await (const _ of retention.purge(LATER, 100));
  for await (const _ of retention.purgeTrail(1, 100));
}

const namesSent = new Set<string>()
const callsMade = new Set<string>()

for (const [where, create, searches] of [
  ['one server', createTestDatabase, ON_ONE_SERVER],
  ['several', createCitusLookalike, ON_CITUS],
] as const) {
  // Serial, because all connections of the process are watched.
  test.serial(
    `on ${where}, each statement of the adapter names the bucket, except those listed here`,
    async (t) => {
      const { arrived, called, url } = await watchedDay(create)
      // A session with the server of the rows has another form of each call.
      for (const { from } of arrived) namesSent.add(from.replace(/-here$/, ''))
      for (const place of called) callsMade.add(place)

      t.deepEqual(await searchesAmong(url, arrived), tablesOf(searches))
    },
  )
}

test.serial('each statement of the adapter has run here, and each call of the client was made', async (t) => {
  const { names, calls, others } = await sourceOfTheAdapter()
  t.true(names.size > 50)
  t.true(calls.size > 40)

  t.deepEqual(
    {
      names: names.difference(namesSent),
      calls: calls.difference(callsMade),
      files: others.difference(namesSent),
    },
    { names: new Set(), calls: new Set(), files: new Set() },
  )
})

test.serial('a statement without the bucket is noticed, of whatever kind', async (t) => {
  const { url } = await createTestDatabase()
  const connections = connectWatched({ url, sharding: 'none' })
  t.teardown(() => connections.close())
  const { prisma, statements } = connections
  await prisma.challenge.findMany({ where: { subjectUserId: 'alice' } })
  await prisma.$transaction((transaction) =>
    transaction.lockNotice.deleteMany({ where: { id: idOf('alice') } }),
  )
  await prisma.user.findUnique({ where: { userId: 'alice', bucket: 1 } })
  await prisma.$queryRaw`SELECT FROM challenges c JOIN users u ON u.user_id = c.subject_user_id WHERE c.bucket = 1`
  await statements.query(Prisma.sql`/* a.named-one */ UPDATE trail_heads SET position = 1 WHERE position = 0`)
  const from = arrivedFrom(connections)

  t.deepEqual(
    await Promise.all(from.map(async (each) => Object.values(await searchesAmong(url, [each])).flat())),
    [['challenges'], ['lock_notices'], [], ['users'], ['trail_heads']],
  )
})

/** Runs everything, and gives back what arrived at the database. */
async function watchedDay(create: () => Promise<TestDatabase>) {
  const database = await create()
  const connections = connectWatched(database)
  try {
    await everything(connections, database.url)
    return { url: database.url, arrived: arrivedFrom(connections), called: connections.called }
  } finally {
    await connections.close()
  }
}

/** Each statement once. */
function arrivedFrom({ arrived }: WatchedConnections): readonly Arrived[] {
  return [...new Map(arrived.map((each) => [`${each.from} ${each.text}`, each])).values()]
}

/** The tables that are looked up without a bucket, by what sent the statement. */
async function searchesAmong(url: string, arrived: readonly Arrived[]) {
  const found = new Map<string, Set<string>>()
  for (const { from, text } of arrived) {
    for (const lookUp of await lookUpsWithoutBucket(url, { text })) {
      found.set(from, (found.get(from) ?? new Set()).add(lookUp.split(' ')[0]!))
    }
  }
  return Object.fromEntries(Array.from(found, ([from, tables]) => [from, [...tables].toSorted()]))
}

function tablesOf(searches: Searches) {
  return Object.fromEntries(Object.entries(searches).map(([from, [tables]]) => [from, tables]))
}

const CALL =
  /\.(?:find(?:Many|First|Unique)\w*|(?:create|update|delete)Many\w*|upsert)\(|(?:transaction|prisma)\.\w+\.(?:update|create|delete|count|aggregate)\(|\.\$(?:query|execute)Raw/
const NAME = /\/\* ([a-z-]+\.[a-z-]+) \*\/|raw\('([a-z-]+\.[a-z-]+)'\)/g

/**
 * The names of statements in the source, the lines that call the client, and the files that send statements about subjects beside it.
 * bucket-in-statements.test.ts has the statements for groups.
 */
async function sourceOfTheAdapter() {
  const [names, calls, others] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for await (const file of glob('**/*.ts', { cwd: ADAPTER, exclude: ['generated/**'] })) {
    const text = await readFile(new URL(file, ADAPTER), 'utf8')
    for (const [, name, raw] of text.matchAll(NAME)) names.add(name ?? raw!)
    for (const [index, line] of text.split('\n').entries()) {
      if (CALL.test(line)) calls.add(`${file}:${index + 1}`)
    }
    const speaksOfSubjects = SUBJECT_TABLES.some((table) => new RegExp(`FROM ${table}\\b`).test(text))
    if (speaksOfSubjects && /\b(?:client|pool)\.(?:query|connect)\b/.test(text)) others.add(file)
  }
  return { names: new Set([...names].filter((name) => !name.endsWith('-group'))), calls, others }
}
