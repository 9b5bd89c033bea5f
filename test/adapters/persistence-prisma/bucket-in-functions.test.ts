import test from 'ava'
import { placesWithoutBucket, SUBJECT_TABLES } from '../../support/bucket-look-ups.ts'
import { createCitusLookalike } from '../../support/citus-lookalike.ts'
import { createTestDatabase, query } from '../../support/database.ts'

/*
 * The statements within functions, as they stand in the database after the migrations, and after deploy/citus. As in
 * bucket-in-statements.test.ts, each names the bucket of every table that it reads or writes.
 */

/** What goes over all shards, by the name of the function: the tables without a bucket, and why. */
type Searches = Readonly<Record<string, readonly [tables: readonly string[], why: string]>>

const EVERYWHERE: Searches = {
  has_room_for_challenge: [
    ['challenges'],
    'Citus has open_challenges() in its place, and the bucket made a create dearer on one server',
  ],
  fill_bucket_of_challenge: [
    ['challenges'],
    'only a row of the version before has no bucket, and gets it here',
  ],
  order_trail_anchor: [['challenge_events'], 'an anchor is about the trail as a whole'],
  purge_challenge_events: [['challenge_events', 'challenge_events'], 'the purge walks along the ids of all'],
}
const ON_ONE_SERVER: Searches = {
  ...EVERYWHERE,
  number_service_events: [
    ['service_events', 'service_events', 'service_events', 'service_events', 'service_events'],
    'the places of events are in one order for all subjects',
  ],
}
const ON_CITUS: Searches = {
  ...EVERYWHERE,
  number_service_events: [
    ['service_events', 'service_events', 'service_events'],
    'the places of events are in one order for all subjects',
  ],
}

for (const [where, create, searches] of [
  ['on one server', createTestDatabase, ON_ONE_SERVER],
  ['on Citus', createCitusLookalike, ON_CITUS],
] as const) {
  test(`each function ${where} names the bucket, except those listed here`, async (t) => {
    const { url } = await create()
    const functions = (await query(
      url,
      `SELECT proname AS name, prosrc AS body FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    )) as { name: string; body: string }[]
    t.true(functions.length > 10)

    const found = functions
      .map(({ name, body }) => [name, placesWithoutBucket(body)] as const)
      .filter(([, tables]) => tables.length > 0)

    t.deepEqual(
      Object.fromEntries(found),
      Object.fromEntries(Object.entries(searches).map(([name, [tables]]) => [name, tables])),
    )
  })
}

test('on Citus each key of a table begins with the bucket, on both ends of a reference', async (t) => {
  const { url } = await createCitusLookalike()
  const keys = (await query(
    url,
    `SELECT c.relname AS table, i.indexrelid::regclass::text AS key, a.attname AS first
     FROM pg_index i
     JOIN pg_class c ON c.oid = i.indrelid
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
     WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
     UNION ALL
     SELECT c.relname, f.conname, a.attname
     FROM pg_constraint f
     CROSS JOIN LATERAL (VALUES (f.conrelid, f.conkey[1]), (f.confrelid, f.confkey[1])) AS e (relation, first)
     JOIN pg_class c ON c.oid = e.relation
     JOIN pg_attribute a ON a.attrelid = e.relation AND a.attnum = e.first
     WHERE f.contype = 'f'`,
  )) as { table: string; key: string; first: string }[]

  const ofSubjects = keys.filter(({ table }) => SUBJECT_TABLES.includes(table))

  t.deepEqual(
    new Set(SUBJECT_TABLES).difference(new Set(ofSubjects.map(({ table }) => table))),
    new Set(),
    'a table without a key',
  )
  t.deepEqual(
    ofSubjects.filter(({ first }) => first !== 'bucket'),
    [],
  )
})

for (const [what, body, tables] of [
  ['a filter', 'SELECT count(*) FROM challenges c WHERE c.id = $1;', ['challenges']],
  ['a filter with it', 'SELECT 1 FROM public.challenges c WHERE c.bucket = b AND c.id = $1;', []],
  ['a filter without alias', 'DELETE FROM "service_events" WHERE "challenge_id" = c;', ['service_events']],
  ['a filter without alias with it', 'DELETE FROM "users" WHERE "bucket" = b AND user_id = u;', []],
  [
    'a join',
    'SELECT 1 FROM challenges c JOIN users u ON u.user_id = c.subject_user_id WHERE c.bucket = 1;',
    ['users'],
  ],
  [
    'a join by commas',
    'SELECT 1 FROM challenges c, users u WHERE u.user_id = c.subject_user_id AND c.bucket = 1;',
    ['users'],
  ],
  ['a join with it', 'SELECT 1 FROM challenges c JOIN users u ON u.bucket = c.bucket AND u.bucket = 1;', []],
  [
    'the second of two selects',
    'SELECT (SELECT 1 FROM users WHERE bucket = 1), (SELECT 1 FROM trail_heads WHERE position = 1);',
    ['trail_heads'],
  ],
  [
    'an update',
    'UPDATE public.trail_heads AS head SET position = 1 WHERE head.position = 0;',
    ['trail_heads'],
  ],
  ['an insert', 'INSERT INTO challenge_expiries (challenge_id) SELECT 1;', ['challenge_expiries']],
  ['an insert with it', 'INSERT INTO challenge_expiries (bucket, challenge_id) VALUES (1, 2);', []],
  ['what a comment says', "-- bucket = 1\nDELETE FROM users WHERE locale = 'bucket = 1';", ['users']],
] as const) {
  test(`the reading of functions notices the bucket in ${what}, or its absence`, (t) => {
    t.deepEqual(placesWithoutBucket(body), [...tables])
  })
}
