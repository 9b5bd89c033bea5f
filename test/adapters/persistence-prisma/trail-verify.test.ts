import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { withTrailSnapshot } from '../../../src/adapters/persistence-prisma/audit-trail/pg-trail-snapshot.ts'
import { PrismaTrailAnchors } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-trail-anchors.ts'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import {
  EddsaAnchorSigner,
  EddsaAnchorVerifier,
  type PublicKey,
} from '../../../src/adapters/signing-eddsa/eddsa-anchors.ts'
import { EddsaChallengeSigner } from '../../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import type { SignedAnchor } from '../../../src/application/ports/trail-anchors.ts'
import { AnchorTrail } from '../../../src/application/trail/anchor-trail.ts'
import { VerifyTrail } from '../../../src/application/trail/verify-trail.ts'
import { createTestDatabase, query } from '../../support/database.ts'

const KEY = { id: 's1', bytes: randomBytes(32) }
const PUBLIC = new EddsaChallengeSigner([KEY]).publicKeys().keys as unknown as readonly PublicKey[]
/** What somebody can do who owns the tables: no trigger holds them back. */
const AS_OWNER = 'SET session_replication_role = replica'

const insert = (subject: string, type = 'user-put') =>
  `INSERT INTO challenge_events (bucket, subject_user_id, type, occurred_at, actor, details)
   VALUES (bucket_of('${subject}'), '${subject}', '${type}', now(), 'service', '{"number": 1}')`

const VERIFIER = new EddsaAnchorVerifier(PUBLIC)
const CLOCK = { now: () => new Date() }

/** Two subjects with three events each, and the first anchor, which marks the beginning. */
async function trail(t: ExecutionContext) {
  const { url } = await createTestDatabase()
  const { prisma, pool, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  const anchors = new PrismaTrailAnchors(prisma)
  const world = {
    url,
    prisma,
    anchors,
    /** Makes another anchor, as if an hour had passed. */
    anchor: async (signer = new EddsaAnchorSigner([KEY])) => {
      await query(url, AS_OWNER, `UPDATE trail_anchors SET hour = hour - interval '1 hour'`)
      const { anchor } = await new AnchorTrail(anchors, signer, VERIFIER, CLOCK).execute()
      return anchor!
    },
    verify: (kept: readonly SignedAnchor[] = [], keys = PUBLIC) =>
      withTrailSnapshot(pool, (snapshot) =>
        new VerifyTrail(snapshot, new EddsaAnchorVerifier(keys), new Date()).execute(kept),
      ),
  }
  await world.anchor()
  for (const subject of ['a', 'b', 'a', 'b', 'a', 'b']) await query(url, insert(subject))
  return world
}

test('a trail as the service wrote it is whole', async (t) => {
  const { url, anchor, verify } = await trail(t)
  const second = await anchor()
  await query(url, insert('c'))
  const third = await anchor()

  t.like(second, { number: 2, events: 6, keyId: 's1' })
  t.like(third, { number: 3, events: 1, previous: second.signature, firstId: second.lastId + 1 })
  t.like(await verify([second, third]), {
    ...{ events: 7, eventsFromBefore: 0, subjects: 3, anchors: 3, problemCount: 0 },
    anchoredAt: third.signedAt,
  })
})

test('an empty trail is whole', async (t) => {
  const { url } = await createTestDatabase()
  const { pool, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)

  const report = await withTrailSnapshot(pool, (snapshot) =>
    new VerifyTrail(snapshot, undefined, new Date()).execute([]),
  )
  t.like(report, { events: 0, subjects: 0, anchors: 0, anchoredAt: undefined, problemCount: 0 })
})

/** The third event of six is the second of subject a. */
const NTH = (n: number) => `(SELECT id FROM challenge_events ORDER BY id LIMIT 1 OFFSET ${n - 1})`

for (const [what, statements, problem] of [
  [
    'an event that is gone',
    [`DELETE FROM challenge_events WHERE id = ${NTH(3)}`],
    /^the event before event \d+, number \d+, is gone$/,
  ],
  ['the first event that is gone', [`DELETE FROM challenge_events WHERE id = ${NTH(1)}`], /is gone$/],
  [
    'the newest event that is gone',
    [`DELETE FROM challenge_events WHERE id = ${NTH(6)}`],
    /^the newest event of b, number \d+, is gone$/,
  ],
  ...['actor', 'type', 'remote_address', 'request_id'].map(
    (column) =>
      [
        `a changed ${column}`,
        [`UPDATE challenge_events SET ${column} = 'x' WHERE id = ${NTH(3)}`],
        /was changed/,
      ] as const,
  ),
  [
    'a changed time',
    [`UPDATE challenge_events SET occurred_at = occurred_at - interval '1 ms' WHERE id = ${NTH(2)}`],
    /was changed/,
  ],
  [
    'a changed time of storing',
    [`UPDATE challenge_events SET recorded_at = recorded_at - interval '1 year' WHERE id = ${NTH(2)}`],
    /was changed/,
  ],
  [
    'changed details',
    [`UPDATE challenge_events SET details = '{"number": 2}' WHERE id = ${NTH(3)}`],
    /was changed/,
  ],
  [
    'another challenge',
    [`UPDATE challenge_events SET challenge_id = gen_random_uuid() WHERE id = ${NTH(3)}`],
    /was changed/,
  ],
  [
    'a change of the newest event',
    [`UPDATE challenge_events SET actor = 'x' WHERE id = ${NTH(6)}`],
    /^event \d+, the newest of b, was changed$/,
  ],
  [
    'an event that moved to another subject',
    [`UPDATE challenge_events SET subject_user_id = 'b' WHERE id = ${NTH(3)}`],
    /was changed/,
  ],
  ['an event with another id', [`UPDATE challenge_events SET id = 900 WHERE id = ${NTH(3)}`], /is gone/],
  [
    'a whole subject that is gone',
    [`DELETE FROM challenge_events WHERE subject_user_id = 'a'`],
    /^the newest event of a/,
  ],
  [
    'a head that is gone',
    [`DELETE FROM trail_heads WHERE subject_user_id = 'a'`],
    /^6 events are in 1 chains/,
  ],
  [
    'an event that was added without a chain',
    [insert('a')],
    /^event \d+ was added without a place in a chain$/,
  ],
  [
    'an event that was added beside the chain',
    [
      `INSERT INTO challenge_events (
         bucket, subject_user_id, type, occurred_at, actor, details, position, previous_id, previous_hash, recorded_at
       )
       SELECT bucket, subject_user_id, 'otp-sent', occurred_at, actor, details, position, previous_id, previous_hash, recorded_at
       FROM challenge_events WHERE id = ${NTH(3)}`,
    ],
    /^7 events are in 2 chains/,
  ],
  [
    'a chain that begins anew',
    [`UPDATE challenge_events SET previous_id = NULL WHERE id = ${NTH(3)}`],
    /does not begin the chain/,
  ],
] as const) {
  test(`${what} is found`, async (t) => {
    const { url, verify } = await trail(t)
    await query(url, AS_OWNER, ...statements)

    const { problemCount, problems } = await verify()

    t.true(problemCount > 0)
    t.true(
      problems.some((each) => problem.test(each)),
      problems.join('\n'),
    )
  })
}

/** Takes out the newest event of subject b, and makes the head as it was before. No link shows that. */
async function cutTheEnd(url: string): Promise<void> {
  await query(
    url,
    AS_OWNER,
    `WITH gone AS (DELETE FROM challenge_events WHERE id = ${NTH(6)} RETURNING *)
     UPDATE trail_heads h SET position = h.position - 1, event_id = gone.previous_id, hash = gone.previous_hash
     FROM gone WHERE h.subject_user_id = gone.subject_user_id`,
  )
}

test('an end that was cut with its head is found by the anchor', async (t) => {
  const { url, anchor, verify } = await trail(t)
  await cutTheEnd(url)
  t.is((await verify()).problemCount, 0)

  const other = await trail(t)
  await other.anchor()
  await cutTheEnd(other.url)
  t.regex((await other.verify()).problems.join(), /are not the ones of anchor 2: it has 6, the trail 5$/)
  await anchor()
  t.is((await verify()).problemCount, 0)
})

test('an anchor that was changed, forged, taken out or signed by another key is found', async (t) => {
  const { url, anchor, verify } = await trail(t)
  await anchor()
  await query(url, insert('c'))
  await anchor()
  const problemsAfter = async (statement: string) => {
    await query(url, AS_OWNER, 'CREATE TABLE kept AS TABLE trail_anchors', statement)
    const { problems } = await verify()
    await query(
      url,
      AS_OWNER,
      'DELETE FROM trail_anchors',
      'INSERT INTO trail_anchors TABLE kept',
      'DROP TABLE kept',
    )
    return problems.join('\n')
  }

  t.regex(
    await problemsAfter('UPDATE trail_anchors SET events = 5 WHERE number = 2'),
    /signature of anchor 2 is wrong/,
  )
  t.regex(
    await problemsAfter('DELETE FROM trail_anchors WHERE number = 2'),
    /an anchor before number 3 is gone/,
  )
  t.regex(
    await problemsAfter('DELETE FROM trail_anchors WHERE number = 1'),
    /an anchor before number 2 is gone/,
  )
  t.regex(
    await problemsAfter(`UPDATE trail_anchors SET key_id = 's9' WHERE number = 3`),
    /anchor 3 names the key s9/,
  )
  t.regex(
    await problemsAfter(`UPDATE trail_anchors SET previous = 'x' WHERE number = 3`),
    /anchor 3 does not follow/,
  )
  t.is((await verify()).problemCount, 0)
  t.regex((await verify([], [])).problems.join(), /names the key s1, which is not known here/)
})

test('who rewrites everything, anchors too, is found by the anchors that were kept elsewhere', async (t) => {
  const { url, anchor, verify } = await trail(t)
  const second = await anchor()
  await cutTheEnd(url)
  await query(url, AS_OWNER, 'DELETE FROM trail_anchors WHERE number = 2')
  t.is((await verify()).problemCount, 0)
  t.deepEqual((await verify([second])).problems, [
    'anchor 2 is in the file and not in the database: the end of the trail was cut',
  ])

  // With the key itself, which the database does not have.
  await anchor()
  t.is((await verify()).problemCount, 0)
  t.deepEqual((await verify([second])).problems, [
    'anchor 2 is not the one in the file: the trail was written anew',
  ])
  t.regex((await verify([{ ...second, events: 7 }])).problems.join(), /anchor 2 in the file is wrong/)
})

test('what the retention took is no gap, and what somebody took before its time is', async (t) => {
  const { url, anchor, verify, prisma } = await trail(t)
  await anchor()
  await query(url, insert('a'))
  await query(url, AS_OWNER, `UPDATE trail_retention SET minimum_days = 0`)
  const purged = await prisma.$queryRaw`SELECT purge_challenge_events(0, 4) AS events`
  t.deepEqual(purged, [{ events: 4 }])

  const report = await verify()
  t.like(report, { events: 3, problemCount: 0 })
  t.true(report.purgedTo > 0)

  await prisma.$queryRaw`SELECT purge_challenge_events(0, 100) AS events`
  await query(url, insert('b'))
  t.like(await verify(), { events: 1, problemCount: 0 })

  await query(url, AS_OWNER, `UPDATE trail_retention SET minimum_days = 397`)
  t.regex((await verify()).problems.join(), /are purged, before 397 days were over$/)
})

test('events from before the chains are counted, and are no problem', async (t) => {
  const { url } = await createTestDatabase()
  const { pool, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  await query(url, AS_OWNER, insert('a'), insert('b'))
  await query(url, insert('a'))

  const report = await withTrailSnapshot(pool, (snapshot) =>
    new VerifyTrail(snapshot, undefined, new Date()).execute([]),
  )
  t.like(report, { events: 1, eventsFromBefore: 2, problemCount: 0 })
})

test('many batches of events and subjects are one walk', async (t) => {
  const { url, anchor, verify } = await trail(t)
  await query(
    url,
    `INSERT INTO challenge_events (subject_user_id, type, occurred_at, actor, details)
     SELECT 's' || n % 4500, 'user-put', now(), 'service', '{}' FROM generate_series(1, 9000) n`,
  )
  t.is((await anchor()).events, 9006)

  t.like(await verify(), { events: 9006, subjects: 4502, problemCount: 0 })
})

test('however many processes anchor at once, an hour has one anchor, and they agree', async (t) => {
  const { url, anchors, verify } = await trail(t)
  await query(url, AS_OWNER, `UPDATE trail_anchors SET hour = hour - interval '1 hour'`)
  const processes = Array.from({ length: 6 }, () => {
    const { prisma, close } = connectPrisma({ url, onConnectionLost: () => {} })
    t.teardown(close)
    return new AnchorTrail(new PrismaTrailAnchors(prisma), new EddsaAnchorSigner([KEY]), VERIFIER, CLOCK)
  })

  const looks = await Promise.all(processes.map((each) => each.execute()))
  const stored = looks.filter(({ anchor }) => anchor)

  t.is(stored.length, 1)
  t.is((await anchors.newest())?.number, 2)
  t.deepEqual(await processes[0]!.execute(), {})
  t.is((await verify()).problemCount, 0)
})

test('an anchor waits for an event that is not committed yet, and gives up for now if that takes too long', async (t) => {
  const { url, prisma, anchors, verify } = await trail(t)
  const open = new (await import('pg')).default.Client({ connectionString: url })
  await open.connect()
  t.teardown(() => open.end())
  await open.query('BEGIN')
  await open.query(insert('slow'))
  await query(url, insert('fast'), AS_OWNER, `UPDATE trail_anchors SET hour = hour - interval '1 hour'`)
  const signer = new EddsaAnchorSigner([KEY])

  const impatient = new AnchorTrail(new PrismaTrailAnchors(prisma, 300), signer, VERIFIER, CLOCK)
  t.deepEqual(await impatient.execute(), {})

  const anchoring = new AnchorTrail(anchors, signer, VERIFIER, CLOCK).execute()
  await open.query('COMMIT')
  t.is((await anchoring).anchor?.events, 8)
  t.is((await verify()).problemCount, 0)
})

test('an anchor that somebody forged is in doubt, and the next one follows it', async (t) => {
  const { url, anchors, anchor } = await trail(t)
  const genuine = await anchor()
  await query(
    url,
    AS_OWNER,
    `UPDATE trail_anchors SET hour = hour - interval '1 hour'`,
    `INSERT INTO trail_anchors (number, hour, first_id, last_id, events, digest, previous, signed_at, key_id, signature)
     SELECT number + 1, date_trunc('hour', now()), last_id + 1, last_id, 0, 'd', signature, now(), 's1', 'forged'
     FROM trail_anchors ORDER BY number DESC LIMIT 1`,
  )
  const look = () => new AnchorTrail(anchors, new EddsaAnchorSigner([KEY]), VERIFIER, CLOCK).execute()
  const doubt = { number: genuine.number + 1, verdict: 'forged' } as const

  const first = await look()
  t.is(first.anchor, undefined)
  t.like(first.doubt, doubt)

  await query(url, AS_OWNER, `UPDATE trail_anchors SET hour = hour - interval '1 hour'`)
  const second = await look()
  t.like(second.doubt, doubt)
  t.like(second.anchor, { number: genuine.number + 2, previous: 'forged', firstId: genuine.lastId + 1 })
  t.deepEqual(await look(), {})
})
