import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import pg from 'pg'
import { createTestDatabase } from '../support/database.ts'
import { createDataDir } from './service-process.ts'

test('the users of a file get into the directory, and the command says which lines did not', async (t) => {
  const database = await createTestDatabase()
  const home = await createDataDir()
  const db = new pg.Pool({ connectionString: database.url })
  t.teardown(async () => {
    await db.end()
    await home.remove()
  })
  const file = join(home.path, 'users.csv')
  await writeFile(file, 'userId,email\nu-1,one@example.com\nu-2,two@@example.com\nu-3,three@example.com\n')
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['src/command-line/cli.ts', 'users', 'import', ...args], {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      encoding: 'utf8',
    })
  const stored = async () =>
    (await db.query('SELECT user_id FROM users ORDER BY user_id')).rows.map((row) => row.user_id)

  const nothing = run(file, '--all-or-nothing')
  t.is(nothing.status, 1, nothing.stderr)
  t.regex(nothing.stdout, /line 3: email: .*\n0 created, 0 updated, 1 refused/)
  t.deepEqual(await stored(), [])

  const some = run(file)
  t.is(some.status, 1)
  t.regex(some.stdout, /2 created, 0 updated, 1 refused/)
  t.deepEqual(await stored(), ['u-1', 'u-3'])
  t.false(some.stdout.includes('two@@'))

  const document = run(file, '--json')
  t.is(document.status, 1)
  t.like(JSON.parse(document.stdout), { created: 0, updated: 2, refused: [{ number: 3 }] })

  const other = join(home.path, 'other.csv')
  await writeFile(other, 'userId|email\nu-4|four@example.com\nu-5|five@example.com\n')
  const misread = run(other)
  t.is(misread.status, 1)
  t.regex(misread.stderr, /The first line must name the columns userId and email/)
  t.notRegex(misread.stdout + misread.stderr, /line \d|u-4|example\.com/)

  t.is(run().status, 2)
  t.is(run(join(home.path, 'none.csv')).status, 1)
  t.is(run(file, '--unknown').status, 2)
})
