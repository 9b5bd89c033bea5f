import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { userFile } from '../../src/adapters/user-files/user-file.ts'

async function linesOf(t: ExecutionContext, name: string, content: string | Uint8Array) {
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

test('a table may leave out the optional columns, and end a line early', async (t) => {
  const lines = await linesOf(t, 'users.csv', 'email,userId,locale\na@example.com,u-1\n')

  t.like(lines, [{ number: 2, draft: { userId: 'u-1', email: 'a@example.com', locale: undefined } }])
})

const USERS = [
  { number: 2, draft: { userId: 'u-1', email: 'a@example.com', locale: 'de', displayName: 'Jürgen, Al' } },
  { number: 3, draft: { userId: 'u-2', email: 'b@example.com', locale: undefined, displayName: undefined } },
]

for (const [what, name, content] of [
  [
    'semicolons',
    'users.csv',
    'userId;email;locale;displayName\r\nu-1;a@example.com;de;Jürgen, Al\r\nu-2;b@example.com;;\r\n',
  ],
  [
    'tabs',
    'users.tsv',
    'userId\temail\tlocale\tdisplayName\nu-1\ta@example.com\tde\tJürgen, Al\nu-2\tb@example.com\t\t\n',
  ],
  [
    'tabs, with an empty field in front',
    'users.txt',
    'locale\tuserId\temail\tdisplayName\nde\tu-1\ta@example.com\tJürgen, Al\n\tu-2\tb@example.com\t\n',
  ],
  [
    'blanks around everything',
    'users.CSV',
    ' userId , email ,locale, "displayName" \n u-1 ,\ta@example.com\u00a0, de , "Jürgen, Al" \n u-2, b@example.com , , \n',
  ],
  [
    'columns and lines that Excel leaves empty',
    'users.csv',
    'userId;email;;locale;displayName;;\r\nu-1;a@example.com;;de;Jürgen, Al;;\r\nu-2;b@example.com;;;;;\r\n;;;;;;\r\n ; ;;;;;\r\n',
  ],
  [
    'carriage returns',
    'users.csv',
    'userId;email;locale;displayName\ru-1;a@example.com;de;Jürgen, Al\ru-2;b@example.com\r',
  ],
] as const) {
  test(`a table with ${what} gives a draft a line`, async (t) => {
    t.deepEqual(await linesOf(t, name, content), USERS)
  })
}

test('an object that names a field twice is a problem of its line, however the name is spelled', async (t) => {
  const lines =
    '{"userId":"u-1","email":"a@example.com","email":"b@example.com"}\n{"userId":"u-1","user\\u0049d":"u-2","email":"a@example.com"}\n'

  t.deepEqual(await linesOf(t, 'users.jsonl', lines), [
    { number: 1, problem: 'names a field twice' },
    { number: 2, problem: 'names a field twice' },
  ])
})

test('a line that says what separates the values is no line of names', async (t) => {
  const table =
    'userId;email;locale;displayName\r\nu-1;a@example.com;de;Jürgen, Al\r\nu-2;b@example.com;;\r\n'
  for (const hint of ['sep=;', '"sep=;"', '\ufeffsep=;']) {
    t.deepEqual(
      await linesOf(t, 'users.csv', `${hint}\r\n${table}`),
      USERS.map(({ number, draft }) => ({ number: number + 1, draft })),
    )
  }
})

for (const [what, encode] of [
  ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16 of Excel', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16 of the other byte order', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
] as const) {
  test(`files in ${what} are read`, async (t) => {
    const table = encode(
      'userId\temail\tlocale\tdisplayName\r\nu-1\ta@example.com\tde\tJürgen, Al\r\nu-2\tb@example.com\r\n',
    )
    t.deepEqual(await linesOf(t, 'users.txt', table), USERS)

    const objects = encode(
      USERS.map(({ draft }) => `${JSON.stringify(draft, (_, value) => value ?? null)}\n`).join(''),
    )
    t.deepEqual(
      await linesOf(t, 'users.jsonl', objects),
      USERS.map(({ number, draft }) => ({ number: number - 1, draft })),
    )
  })
}

for (const [what, content, message] of [
  [
    'other separators',
    'userId|email\nu-1|a@example.com\nu-2|b@example.com\n',
    /first line must name .*commas, semicolons or tabs$/,
  ],
  ['no names', 'u-1,a@example.com\nu-2,b@example.com\n', /first line must name/],
  ['one of two names', 'userId,phone\nu-1,555\n', /first line must name/],
  ['an unknown name', 'userId,email,a@example.com\nu-1,b@example.com,x\n', /its column 3 has another name$/],
  ['a name twice', 'userId,email,email\nu-1,b@example.com,x\n', /it has a name twice$/],
  ['nothing in it', '', /first line must name/],
  [
    'lines of semicolons under names of commas',
    'userId,email\nu-1,a@example.com\nu-2;b@example.com\nu-3;c@example.com\n',
    /^line 3 is separated by semicolons, but the first line by commas$/,
  ],
  [
    'lines of commas under names of tabs',
    'userId\temail\nu-1,a@example.com\n',
    /^line 2 is separated by commas, but the first line by tabs$/,
  ],
  [
    'a quotation mark that does not end',
    'userId,email\n"u-1,a@example.com\n',
    /^line \d: a quotation mark is out of place$/,
  ],
  [
    'a quotation mark inside',
    'userId,email\n"u-1"a,a@example.com\n',
    /^line 2: a quotation mark is out of place$/,
  ],
  [
    'letters of Windows',
    Buffer.from('userId,email,displayName\nu-1,a@example.com,J\xfcrgen\n', 'latin1'),
    /^The file is not in UTF-8.*CSV UTF-8/,
  ],
] as const) {
  test(`a table with ${what} gives one error, without a value`, async (t) => {
    const error = await t.throwsAsync(linesOf(t, 'users.csv', content), { message })

    t.notRegex(error.message, /u-\d|@|phone/)
  })
}

for (const [name, lines] of [
  ['users.csv', ['userId,email', 'u-1,a@example.com']],
  ['users.jsonl', ['{"userId":"u-1","email":"a@example.com"}']],
] as const) {
  test(`another encoding is found far inside ${name} too`, async (t) => {
    const good = `${lines.join('\n')}\n`.padEnd(300_000, `${lines.at(-1)}\n`)
    const content = Buffer.concat([Buffer.from(`${good}\n`), Buffer.from('u-2,J\xfcrgen', 'latin1')])

    await t.throwsAsync(linesOf(t, name, content), { message: /CSV UTF-8/ })
  })
}

test('a name with the separator in it is not cut off', async (t) => {
  const [line] = await linesOf(t, 'users.csv', 'userId,email,displayName\nu-1,a@example.com,Smith, Al\n')

  t.deepEqual(line, { number: 2, problem: 'more values than the 3 columns of the first line' })
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
  await t.throwsAsync(linesOf(t, 'users.xlsx', ''), { message: /\.csv.* or in \.jsonl/ })
})
