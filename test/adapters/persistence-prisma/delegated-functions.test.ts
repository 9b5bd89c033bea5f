import { readFile } from 'node:fs/promises'
import test from 'ava'
import { delegatedFunctions } from '../../../src/adapters/persistence-prisma/sharding/delegated-functions.ts'

const FILE = new URL('../../../deploy/citus/decisions.sql', import.meta.url)

test('the functions for tables on several servers are made of the columns of the statements for one', async (t) => {
  t.is(await readFile(FILE, 'utf8'), delegatedFunctions(), 'npm run citus:build')
})

test('each statement of a function names the bucket, so that it stays on one server', (t) => {
  const statements = delegatedFunctions().match(/(?:UPDATE|FROM|INSERT INTO) (?:challenge|subject|otp|lock|security|users)\w*[^;]*;/g)!

  const unplaced = statements.filter((statement) => !/bucket = of_bucket|\(\s*bucket,/.test(statement))

  t.true(statements.length > 15)
  t.deepEqual(unplaced, [])
})
