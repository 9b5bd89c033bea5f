import test from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { findSuppressedAt } from '../../../src/adapters/persistence-prisma/mail-outcomes/mail-outcome-statements.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaSuppressions } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-suppressions.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { RowSeals } from '../../../src/adapters/persistence-prisma/seals/row-seals.ts'
import { PrismaReportableChallenges } from '../../../src/adapters/persistence-prisma/step-ups/prisma-reportable-challenges.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { MailOutcome } from '../../../src/domain/mail-outcome.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { auditTrailContract } from '../../contracts/audit-trail.contract.ts'
import { idsFromBeforeContract } from '../../contracts/ids-from-before.contract.ts'
import { mailFatesContract } from '../../contracts/mail-outcomes.contract.ts'
import { mailboxBudgetContract } from '../../contracts/mailbox-budget.contract.ts'
import { otpOutboxContract } from '../../contracts/otp-outbox.contract.ts'
import { refusedCallsContract } from '../../contracts/refused-calls.contract.ts'
import { reportableChallengesContract } from '../../contracts/reportable-challenges.contract.ts'
import { stepUpsContract } from '../../contracts/step-ups.contract.ts'
import {
  consumed,
  type ForgeableStores,
  idOf,
  issued,
  type MailOutcomeStores,
  opened,
  overheard,
  PROVENANCE,
  type ReportStores,
  verified,
} from '../../contracts/stores.ts'
import { suppressionsContract } from '../../contracts/suppressions.contract.ts'
import { userRegistryContract } from '../../contracts/user-registry.contract.ts'
import { ALICE, afterNoon, demand, freshStepUp, NOON, POLICY, TRANSFER } from '../../domain/examples.ts'
import { createBucketedDatabase } from '../../support/database.ts'
import { waitsForLock } from '../../support/lock-waits.ts'
import { SEALS } from '../../support/seals.ts'
import { countShared, InCompany, ofNoStranger } from './in-company.ts'
import { PrismaIntruder } from './prisma-intruder.ts'

/*
 * All cases are serial. AVA would begin all of them at once, and on a loaded machine their calls would wait for a connection, or for
 * each other, for longer than the service does.
 */

const all: Connections[] = []
/** Of the case that runs. */
const own: Connections[] = []

async function connect(open = all): Promise<Connections> {
  const connections = connectPrisma({ ...(await createBucketedDatabase()), onConnectionLost: () => {} })
  open.push(connections)
  return connections
}

let shared: Promise<Connections> | undefined

/** One database for cases that keep to subjects of their own. */
async function inSharedDatabase(
  committed?: CommitListener,
): Promise<MailOutcomeStores & ForgeableStores & ReportStores> {
  shared ??= connect()
  return storesOf(await shared, committed)
}

/** A database for this case alone: what is due in an outbox is due to everybody. */
const inOwnDatabase = async (committed?: CommitListener) => storesOf(await connect(own), committed)

function storesOf(
  { prisma, statements }: Connections,
  committed?: CommitListener,
): MailOutcomeStores & ForgeableStores & ReportStores {
  const stepUps = new PrismaStepUps(statements, SEALS, committed)
  return {
    stepUps,
    registry: new PrismaUserRegistry(prisma, committed),
    outbox: new PrismaOtpOutbox(statements, SEALS, committed),
    trail: new PrismaAuditTrail(prisma),
    mailOutcomes: new PrismaMailOutcomes(statements, committed),
    suppressions: new PrismaSuppressions(statements, committed),
    reportableChallenges: new PrismaReportableChallenges(prisma),
    intruder: new PrismaIntruder(prisma, stepUps),
  }
}

// On a Citus, each case has sessions with each server.
test.afterEach.always('connections of a case are closed', async () => {
  await Promise.all(own.splice(0).map(({ close }) => close()))
})

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

stepUpsContract('prisma', inSharedDatabase)
idsFromBeforeContract('prisma', inOwnDatabase)
mailboxBudgetContract('prisma', inSharedDatabase)
refusedCallsContract('prisma', inSharedDatabase)

let groups: Promise<{ connections: Connections; shared: Map<string, number> }> | undefined

async function inGroups(committed?: CommitListener): Promise<MailOutcomeStores & ForgeableStores> {
  groups ??= connect().then((connections) => ({ connections, shared: countShared(connections.statements) }))
  const { connections } = await groups
  const stores = storesOf(connections, committed && ofNoStranger(committed))
  return { ...stores, stepUps: new InCompany(stores.stepUps) }
}

stepUpsContract('prisma, in groups', inGroups)
mailboxBudgetContract('prisma, in groups', inGroups)

test.after('calls in company have shared each kind of statement', async (t) => {
  // Where only other cases run, as on a Citus, there are no groups.
  if (!groups) return
  const { shared } = await groups
  t.deepEqual(
    new Set(['step-ups.load', 'step-ups.open', 'step-ups.save']).difference(new Set(shared.keys())),
    new Set(),
  )
})

userRegistryContract('prisma', inSharedDatabase)
auditTrailContract('prisma', inSharedDatabase)
reportableChallengesContract('prisma', inSharedDatabase)
suppressionsContract('prisma', inSharedDatabase)
mailFatesContract('prisma', inOwnDatabase)
otpOutboxContract('prisma', inOwnDatabase)

test.serial(
  'a consumed challenge whose key is no longer configured can be read, and its approval is not given again',
  async (t) => {
    const connections = await connect()
    const stores = storesOf(connections)
    const { id } = await opened(stores)
    await issued(stores, id)
    await verified(stores, id)
    await consumed(stores, id)
    const rotated = new RowSeals([{ id: 'k2', bytes: Buffer.alloc(32, 2) }], { now: () => NOON })

    const stepUp = await new PrismaStepUps(connections.statements, rotated).load(id)

    t.is(stepUp?.challenge.status, 'consumed')
    t.is(stepUp?.forgery, 'unsealed')
  },
)

test.serial('nobody changes or deletes an event, except retention, which only deletes', async (t) => {
  const connections = await connect()
  const { prisma, statements } = connections
  const [challenge, event] = Challenge.open(
    { id: idOf('alice'), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
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
    prisma.$transaction(async (retention) => {
      // Otherwise the servers of a Citus that keep the events do not hear of the next line.
      if (statements.sharding === 'citus') {
        await retention.$executeRaw`SET LOCAL citus.propagate_set_commands = 'local'`
      }
      const [{ owner }] = await retention.$queryRaw<[{ owner: string }]>`
        SELECT quote_ident(pg_get_userbyid(relowner)) AS owner FROM pg_class WHERE oid = 'challenge_events'::regclass`
      await retention.$executeRawUnsafe(`SET LOCAL ROLE ${owner}`)
      await retention.$executeRaw`SET LOCAL countersign.retention = 'on'`
      return retention.$executeRawUnsafe(statement)
    })
  await t.throwsAsync(asRetention(`UPDATE challenge_events SET actor = 'nobody'`), refused)
  t.is(await asRetention('DELETE FROM challenge_events'), 1)
})

test.serial('a suppressed mailbox is found through an index, in a database of any language', async (t) => {
  const connections = await connect()
  const { prisma } = connections
  const stores = storesOf(connections)
  const { suppressions } = stores
  const { subjectUserId } = await opened(stores)
  // Turkish, in which the small letter of I is not i.
  await prisma.$executeRaw`
    ALTER TABLE subject_standings ALTER suppressed_address TYPE text COLLATE "tr-x-icu"`
  const address = EmailAddress.parse('ALICE@INFO.EXAMPLE')
  const standing = (await suppressions.findBySubject(subjectUserId))!
  const suppression = { address, reason: 'hard-bounce', at: NOON } as const
  await suppressions.save(SubjectStanding.suppress(standing, suppression), [], PROVENANCE)

  const found = await suppressions.findByMailbox(EmailAddress.mailboxKey(address))
  const plan = await prisma.$transaction(async (transaction) => {
    // Takes the next one to all servers of a Citus, and means nothing elsewhere.
    await transaction.$executeRaw`SET LOCAL citus.propagate_set_commands = 'local'`
    await transaction.$executeRaw`SET LOCAL enable_seqscan = off`
    const { text, values } = findSuppressedAt(EmailAddress.mailboxKey(address))
    return transaction.$queryRawUnsafe<object[]>(`EXPLAIN ${text}`, ...values)
  })

  t.is(found[0]?.subjectUserId, subjectUserId)
  t.regex(JSON.stringify(plan), /subject_standings_suppressed_mailbox_idx/)
})

test.serial(
  'a bounce waits for a decision about its subject that is being stored, and is then refused whole',
  async (t) => {
    const connections = await connect()
    const { prisma } = connections
    const stores = storesOf(connections)
    const { id, subjectUserId } = await opened(stores)
    const { id: issuanceId } = await issued(stores, id)
    const before = (await stores.mailOutcomes.load(issuanceId))!
    const bounce = MailOutcome.record(before, { outcome: 'bounced', kind: 'hard-bounce', at: NOON })!

    const saved = await prisma.$transaction(async (decision) => {
      await decision.$executeRaw`
      UPDATE subject_standings SET version = version + 1 WHERE subject_user_id = ${subjectUserId}`
      const saving = stores.mailOutcomes.save(before, bounce, PROVENANCE)
      await waitsForLock(connections)
      return { saving }
    })

    t.false(await saved.saving)
    t.like(await stores.mailOutcomes.load(issuanceId), { issuance: { status: 'queued' } })
  },
)

test.serial('an outcome that cannot be stored takes none along that are recorded with it', async (t) => {
  const { stores, commits } = await overheard(inOwnDatabase)
  for (let n = 0; n < 3; n++) await issued(stores, (await opened(stores)).id)
  commits.length = 0
  const deliveries = await stores.outbox.claim(3, NOON, afterNoon(30))

  // PostgreSQL keeps no NUL, and the id of a mail is what a mail system says.
  const recorded = await Promise.allSettled(
    deliveries.map(({ issuance }, n) =>
      stores.outbox.record(issuance, ...OtpIssuance.markSent(issuance, n === 1 ? '\0' : 'm', NOON)),
    ),
  )

  t.deepEqual(
    recorded.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  const found = await Promise.all(deliveries.map(({ challenge }) => stores.stepUps.load(challenge.id)))
  t.deepEqual(
    found.map((each) => each?.issuance?.status),
    ['sent', 'queued', 'sent'],
  )
  t.deepEqual(
    commits.map(({ issuance }) => issuance?.id).sort(),
    [deliveries[0]?.issuance.id, deliveries[2]?.issuance.id].sort(),
  )
})

test.serial('a save that fails is not heard of, and fails as it did', async (t) => {
  const { stores, commits } = await overheard(async (committed) => {
    const nowhere = connectPrisma({
      url: 'postgresql://nobody:x@127.0.0.1:1/none',
      onConnectionLost: () => {},
    })
    all.push(nowhere)
    return storesOf(nowhere, committed)
  })
  const decision = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)

  await t.throwsAsync(stores.stepUps.save(decision, PROVENANCE), { instanceOf: StorageUnavailable })
  t.deepEqual(commits, [])
})

test.serial('an import that fails half-way is not heard of', async (t) => {
  const { stores, commits } = await overheard(inOwnDatabase)
  const users = ['a', 'b\0'].map((userId) => ({ userId, email: ALICE }))

  await t.throwsAsync(stores.registry.putAll(users, NOON, PROVENANCE))

  t.is(await stores.registry.find('a'), undefined)
  t.deepEqual(commits, [])
})

test.serial('nobody gives a challenge to another subject and leaves it in its old bucket', async (t) => {
  const connections = await connect()
  const stores = storesOf(connections)
  const [{ id }, { subjectUserId }] = [await opened(stores), await opened(stores)]

  const move = connections.prisma.challenge.update({ where: { id }, data: { subjectUserId } })

  // On a Citus the subject has no standing in the old bucket.
  await t.throwsAsync(move, {
    message: /the bucket is that of another subject|Foreign key constraint violated/,
  })
  t.is((await stores.stepUps.load(id))?.challenge.id, id)
})
