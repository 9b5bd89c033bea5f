import { readdir, readFile } from 'node:fs/promises'
import test from 'ava'
import { lockProblems } from '../../prisma/migration-locks.ts'

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url)

test('no migration holds up a service that runs meanwhile', async (t) => {
  const folders = (await readdir(MIGRATIONS, { withFileTypes: true })).filter((each) => each.isDirectory())
  t.true(folders.length > 0)

  for (const { name } of folders) {
    const sql = await readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8')
    t.deepEqual(lockProblems(sql), [], name)
  }
})

for (const [what, sql] of [
  ['an index that is built under a lock', 'CREATE INDEX "i" ON "challenges"("client_id")'],
  [
    'an index that is built without one beside something else',
    'CREATE INDEX CONCURRENTLY i ON t(a); ALTER TABLE t ADD COLUMN b INT',
  ],
  ['a constraint that is checked at once', 'ALTER TABLE "challenges" ADD CONSTRAINT "c" CHECK ("a" > 0)'],
  [
    'a constraint that is checked in the migration that adds it',
    'ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c',
  ],
  ['a foreign key that is checked at once', 'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b)'],
  ['a unique constraint without its index', 'ALTER TABLE t ADD CONSTRAINT c UNIQUE (a, b)'],
  ['another type of a column', 'ALTER TABLE t ALTER COLUMN a TYPE BIGINT'],
  ['a column that must be filled', 'ALTER TABLE t ADD COLUMN a INT NOT NULL'],
  ['a column that became mandatory', 'ALTER TABLE t ALTER COLUMN a SET NOT NULL'],
  [
    'a column with a value of its own for each row',
    'ALTER TABLE t ADD COLUMN a UUID DEFAULT gen_random_uuid()',
  ],
  ['a column that is gone', 'ALTER TABLE t ADD COLUMN b INT, DROP COLUMN a'],
  ['another name', 'ALTER TABLE t RENAME COLUMN a TO b'],
  ['a table that is gone', 'DROP TABLE t'],
  ['all rows at once', 'UPDATE t SET a = 1'],
  ['a lock', 'LOCK TABLE t'],
  [
    'a block that commits its steps beside something else',
    'DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$; DROP FUNCTION f()',
  ],
  ['a block that keeps its locks to the end', 'DO $$ BEGIN ALTER TABLE t ADD COLUMN a INT; END $$'],
] as const) {
  test(`${what} is found`, (t) => {
    t.is(lockProblems(`-- a comment; with a semicolon\n${sql};`).length, 1)
  })
}

for (const [what, sql] of [
  ['a column without a default', 'ALTER TABLE t ADD COLUMN a TEXT, ADD COLUMN b TIMESTAMPTZ(3)'],
  ['a column with a constant default', `ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT 'x'`],
  [
    'a constraint that is checked later',
    'ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (num_nulls(a, b) = 0) NOT VALID',
  ],
  ['a check of what an earlier migration added', 'ALTER TABLE t VALIDATE CONSTRAINT c'],
  ['an index that lets writes go on', 'CREATE UNIQUE INDEX CONCURRENTLY i ON t(a)'],
  [
    'whatever is done to a new table',
    'CREATE TABLE t (a INT); CREATE INDEX i ON t(a); ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)',
  ],
  [
    'a column that no running version needs any more',
    '-- contract: read by nothing since version 3\nALTER TABLE t DROP COLUMN a',
  ],
  [
    'a block alone that commits its steps',
    'DO $$ BEGIN ALTER TABLE t ADD COLUMN a INT; COMMIT; ALTER TABLE u ADD COLUMN a INT; COMMIT; END $$',
  ],
  [
    'a function, whatever is in it',
    'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET a = 1; END $$',
  ],
] as const) {
  test(`${what} passes`, (t) => {
    t.deepEqual(lockProblems(`${sql};`), [])
  })
}
