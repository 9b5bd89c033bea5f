import { readFile } from 'node:fs/promises'
import test from 'ava'
import { delegatedFunctions } from '../../../src/adapters/persistence-prisma/sharding/delegated-functions.ts'
import { plainFunctions } from '../../../tools/citus/plain-functions.ts'

const FOLDER = new URL('../../../deploy/citus/', import.meta.url)
const textOf = (file: string) => readFile(new URL(file, FOLDER), 'utf8')

test('the functions for tables on several servers are made of the columns of the statements for one', async (t) => {
  t.is(await textOf('decisions.sql'), delegatedFunctions(), 'npm run citus:build')
})

test('what takes the tables back to one server restores the functions of the migrations', async (t) => {
  t.is(await textOf('plain-functions.sql'), await plainFunctions(), 'npm run citus:build')
})

test('each statement of a function names the bucket, so that it stays on one server', (t) => {
  const statements = delegatedFunctions().match(
    /(?:UPDATE|FROM|INSERT INTO) (?:challenge|subject|otp|lock|security|users|mailbox|idempotency)\w*[^;]*;/g,
  )!

  const unplaced = statements.filter(
    (statement) => !/bucket = (?:of_bucket|m\.bucket)|\(\s*bucket,/.test(statement),
  )

  t.true(statements.length > 15)
  t.deepEqual(unplaced, [])
})
