import { randomUUID } from 'node:crypto'
import { glob, readFile } from 'node:fs/promises'
import test from 'ava'
import type { Grouping } from '../../../src/adapters/persistence-prisma/connection/grouped-statement.ts'
import type { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import {
  claimDueNotices,
  recordNotice,
} from '../../../src/adapters/persistence-prisma/lock-notices/lock-notice-statements.ts'
import {
  LOADING_OUTCOME,
  SAVING_REPORT,
} from '../../../src/adapters/persistence-prisma/mail-outcomes/grouped-mail-outcome-statements.ts'
import {
  findIssuanceBucket,
  findStanding,
  findSuppressedAt,
  loadMailOutcome,
  saveDelay,
  saveReport,
  saveReportAndSuppression,
  saveSuppression,
} from '../../../src/adapters/persistence-prisma/mail-outcomes/mail-outcome-statements.ts'
import {
  claimDue,
  RECORDING,
} from '../../../src/adapters/persistence-prisma/otp-outbox/otp-outbox-statements.ts'
import { UNSEALED } from '../../../src/adapters/persistence-prisma/seals/row-seals.ts'
import { claimDueSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/security-notice-statements.ts'
import {
  FINDING,
  LOADING,
  OPENING,
  SAVING,
} from '../../../src/adapters/persistence-prisma/step-ups/grouped-step-up-statements.ts'
import {
  findBucket,
  findByIdempotencyKey,
  findFirstExpiry,
  insertChallenge,
  loadStepUp,
  recordStranger,
  saveDecision,
  saveIssuingDecision,
  saveLockingDecision,
} from '../../../src/adapters/persistence-prisma/step-ups/step-up-statements.ts'
import {
  findChallengesOf,
  findChallengesOfCodes,
  findCodesIssued,
  findSubjectsOfMailbox,
} from '../../../src/adapters/persistence-prisma/support/support-statements.ts'
import { bucketOf } from '../../../src/domain/bucket.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { LockNotice } from '../../../src/domain/lock-notice.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { idOf } from '../../contracts/stores.ts'
import { ALICE, afterNoon, demand, freshStepUp, NOON, POLICY, TRANSFER } from '../../domain/examples.ts'
import { lookUpsWithoutBucket, SUBJECT_TABLES } from '../../support/bucket-look-ups.ts'
import { createTestDatabase, query } from '../../support/database.ts'

/*
 * A database of several servers finds a row by its bucket. So each statement about one subject names the bucket of every table that it
 * reads. bucket-in-arriving-statements.test.ts has the statements that are built elsewhere, bucket-in-functions.test.ts the functions.
 */

/** All others, each with what its rows belong to. */
const OTHER_TABLES = {
  _prisma_migrations: 'the schema',
  mailbox_issuances: 'a mailbox, which several subjects may share',
  trail_anchors: 'the trail as a whole',
  trail_retention: 'the trail as a whole',
  webhook_endpoints: 'a client',
}

const PLACED = { id: idOf('alice'), bucket: bucketOf('alice') }
const [CHALLENGE, OPENED] = Challenge.open(
  { id: PLACED.id, clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
  POLICY,
  NOON,
)
const BY_ALICE = { actor: 'user:alice' }
const { issued, ...DECISION } = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)
const MAILBOX = { key: EmailAddress.mailboxKey(ALICE), atMost: 40 }
const [SENT, SENT_EVENT] = OtpIssuance.markSent(issued, 'm', NOON)
const NOTICE = LockNotice.queue(randomUUID(), ALICE, CHALLENGE, afterNoon(900), NOON)
const STANDING = SubjectStanding.blank('alice')

const OPENING_OF_ALICE = {
  ...{ challenge: CHALLENGE, event: OPENED, provenance: BY_ALICE },
  ...{ idempotency: { key: 'k', fingerprint: 'f' }, mostLive: 20, demandSeal: null },
}
const ATTEMPT = { claimed: issued, outcome: SENT, event: SENT_EVENT }
const SAVING_OF_ALICE = {
  decision: { ...DECISION, issued, mailbox: MAILBOX },
  provenance: BY_ALICE,
  seals: UNSEALED,
}
const REPORTING = {
  before: { issuance: issued, standing: STANDING },
  decision: { issuance: SENT, standing: STANDING, events: [SENT_EVENT] },
  provenance: BY_ALICE,
}

/** As a group of one: its text is that of a group of any size. */
function group<Input>({ columns, together }: Grouping<Input>, input: Input): Prisma.Sql {
  return together(JSON.stringify([{ n: 0, ...columns(input) }]), input)
}

const STATEMENTS: readonly Prisma.Sql[] = [
  ...[loadStepUp(PLACED), group(LOADING, PLACED)],
  ...[saveDecision({ ...DECISION, issued }, BY_ALICE), group(SAVING, SAVING_OF_ALICE)],
  saveIssuingDecision({ ...DECISION, issued }, MAILBOX, BY_ALICE),
  saveLockingDecision(DECISION, NOTICE, BY_ALICE),
  insertChallenge(CHALLENGE, OPENED, { key: 'k', fingerprint: 'f' }, BY_ALICE, 20),
  group(OPENING, OPENING_OF_ALICE),
  findFirstExpiry(CHALLENGE),
  recordStranger(
    { type: 'stranger-refused', challengeId: PLACED.id, subjectUserId: 'mallory', at: NOON },
    BY_ALICE,
  ),
  RECORDING.alone(ATTEMPT),
  recordNotice(NOTICE, ...LockNotice.markSent(NOTICE, 'm', NOON)),
  ...[loadMailOutcome(PLACED), group(LOADING_OUTCOME, PLACED)],
  saveReport(issued, SENT, [SENT_EVENT], BY_ALICE),
  group(SAVING_REPORT, REPORTING),
  saveDelay(issued, NOON, [SENT_EVENT], BY_ALICE),
  saveReportAndSuppression(issued, SENT, STANDING, [SENT_EVENT], BY_ALICE),
  saveSuppression(STANDING, [], BY_ALICE),
  findStanding('alice'),
  findChallengesOf('alice', 'payments', undefined, 10),
]

/** Those that look for rows of any subject, with how many look-ups name no bucket, and why. */
const SEARCHES: readonly (readonly [Prisma.Sql, number, string])[] = [
  [findBucket(PLACED.id), 1, 'an id from before the buckets does not say where it is'],
  [findIssuanceBucket(PLACED.id), 1, 'an id from before the buckets does not say where it is'],
  [findByIdempotencyKey('payments', 'k'), 1, 'a key belongs to a client'],
  [group(FINDING, { clientId: 'payments', key: 'k' } as never), 1, 'a key belongs to a client'],
  [claimDue(50, NOON, afterNoon(30)), 1, 'what is due is due to anybody'],
  [claimDueNotices(50, NOON, afterNoon(30)), 1, 'what is due is due to anybody'],
  [claimDueSecurityNotices(50, NOON, afterNoon(30)), 1, 'what is due is due to anybody'],
  [findSuppressedAt(MAILBOX.key), 1, 'several subjects may have one address'],
  [findSubjectsOfMailbox('00'), 2, 'several subjects may have one address'],
  [findCodesIssued(NOON, NOON), 1, 'the mark of a mail says nothing about its subject'],
  [findChallengesOfCodes([PLACED.id]), 2, 'the mark of a mail says nothing about its subject'],
]

let database: Promise<string> | undefined
const url = () => (database ??= createTestDatabase().then((created) => created.url))
const nameOf = ({ text }: Prisma.Sql) => /^\/\* (\S+) \*\//.exec(text)![1]!

for (const statement of STATEMENTS) {
  test(`${nameOf(statement)} names the bucket of every table that it reads`, async (t) => {
    t.deepEqual(await lookUpsWithoutBucket(await url(), statement), [])
  })
}

for (const [statement, lookUps, why] of SEARCHES) {
  test(`${nameOf(statement)} looks ${lookUps} tables up without a bucket, because ${why}`, async (t) => {
    t.is((await lookUpsWithoutBucket(await url(), statement)).length, lookUps)
  })
}

test('a condition that is missing is noticed', async (t) => {
  const statement = loadStepUp(PLACED)
  const without = { ...statement, text: statement.text.replace('AND s.bucket = c.bucket', '') }

  t.deepEqual(await lookUpsWithoutBucket(await url(), without), ['subject_standings s'])

  const unplaced = { ...statement, text: statement.text.replace('AND c.bucket = $2::integer', '') }
  t.true((await lookUpsWithoutBucket(await url(), unplaced)).includes('challenges c'))
})

test('each statement for groups is listed here', async (t) => {
  const listed = [...STATEMENTS, ...SEARCHES.map(([statement]) => statement)].map(nameOf)
  const adapter = new URL('../../../src/adapters/persistence-prisma/', import.meta.url)
  const named: string[] = []
  for await (const file of glob('**/grouped-*.ts', { cwd: adapter, exclude: ['generated/**'] })) {
    const text = await readFile(new URL(file, adapter), 'utf8')
    named.push(...Array.from(text.matchAll(/\/\* (\S+-group) \*\//g), ([, name]) => name!))
  }

  t.true(named.length > 3)
  t.deepEqual(new Set(named).difference(new Set(listed)), new Set())
})

test('each table whose rows belong to a subject has a bucket, and each other table is named here', async (t) => {
  const tables = (await query(
    await url(),
    `SELECT t.table_name AS name, c.is_nullable AS nullable
     FROM information_schema.tables t
     LEFT JOIN information_schema.columns c ON c.table_name = t.table_name AND c.column_name = 'bucket'
     WHERE t.table_schema = 'public' ORDER BY 1`,
  )) as { name: string; nullable: string | null }[]

  const bucketed = tables.filter(({ nullable }) => nullable === 'NO').map(({ name }) => name)
  t.deepEqual(bucketed.toSorted(), SUBJECT_TABLES)
  const others = tables.filter(({ nullable }) => nullable !== 'NO').map(({ name }) => name)
  t.deepEqual(others.toSorted(), Object.keys(OTHER_TABLES))
})
