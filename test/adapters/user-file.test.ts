import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { userFile } from '../../src/adapters/user-files/user-file.ts'

async function linesOf(t: ExecutionContext, name: string, content: string) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-users-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, name), content)
  return Array.fromAsync(userFile(join(folder, name)))
}

test('a CSV file gives a draft a line, quoted or not, with a byte order mark or without', async (t) => {
  const lines = await linesOf(
    t,
    'users.csv',
    '\ufeffuserId,email,locale,displayName\r\nu-1,a@example.com,,"Smith, ""Al"""\r\n\r\nu-2,b@example.com,de,\r\n',
  )

  t.deepEqual(lines, [
    {
      number: 2,
      draft: { userId: 'u-1', email: 'a@example.com', locale: undefined, displayName: 'Smith, "Al"' },
    },
    { number: 4, draft: { userId: 'u-2', email: 'b@example.com', locale: 'de', displayName: undefined } },
  ])
})

test('a CSV file may leave out the optional columns, and not the others', async (t) => {
  const [short] = await linesOf(t, 'users.csv', 'email,userId\na@example.com,u-1\n')
  t.like(short, { number: 2, draft: { userId: 'u-1', email: 'a@example.com' } })
  const [line] = await linesOf(t, 'users.csv', 'userId,phone\nu-1,555\n')
  t.true('problem' in line! && /email: .*; has unknown fields/.test(line.problem))
})

test('a JSONL file gives a draft a line, and says which line is none', async (t) => {
  const lines = await linesOf(
    t,
    'users.jsonl',
    '{"userId":"u-1","email":"a@example.com"}\n\n{broken\n[]\n{"userId":7,"email":"b@example.com"}\n',
  )

  t.like(lines[0], { number: 1, draft: { userId: 'u-1', email: 'a@example.com' } })
  t.deepEqual(
    lines.slice(1).map(({ number }) => number),
    [3, 4, 5],
  )
  t.true(lines.slice(1).every((line) => 'problem' in line))
  t.false(JSON.stringify(lines.slice(1)).includes('b@example.com'))
})

test('a file of another kind is refused', async (t) => {
  await t.throwsAsync(linesOf(t, 'users.xlsx', ''), { message: /\.csv or \.jsonl/ })
})
