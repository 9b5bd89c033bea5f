import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import {
  type GroupBounds,
  GroupedStatement,
  type Grouping,
} from '../../../src/adapters/persistence-prisma/connection/grouped-statement.ts'
import { Slots } from '../../../src/adapters/persistence-prisma/connection/slots.ts'
import { StorageFault } from '../../../src/adapters/persistence-prisma/connection/storage-errors.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import type { InContext } from '../../../src/contracts/statement-hook.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'

interface Input {
  readonly of: string
  readonly word?: string
}

const GROUPING: Grouping<Input> = {
  name: 'test.ask',
  alone: ({ of }) => Prisma.sql`/* test.ask */ ${of}`,
  together: (members) => Prisma.sql`/* test.ask-group */ ${members}`,
  columns: (input) => input,
  key: ({ of }) => of,
  solitary: ({ word }) => word === 'alone',
  beats: (stored, waiting) => stored.of === waiting.of && waiting.word === 'old',
}

interface Sent {
  readonly name: 'alone' | 'together'
  readonly members: readonly string[]
  readonly context: string | undefined
  answer(rows: object[]): void
  fail(error: Error): void
}

/** A statement whose answers the test gives. */
function grouped(bounds: GroupBounds = {}) {
  const sent: Sent[] = []
  const sizes: number[] = []
  const hooks: { name: string; callers: (string | undefined)[] }[] = []
  const context = new AsyncLocalStorage<string>()
  const statements = {
    send: <Row>({ text, values: [value] }: Prisma.Sql) => {
      const { promise, resolve, reject } = Promise.withResolvers<object[]>()
      const isAlone = text.startsWith('/* test.ask */')
      const members = isAlone ? [value as string] : JSON.parse(value as string).map(({ of }: Input) => of)
      sent.push({
        ...{ name: isAlone ? 'alone' : 'together', members, context: context.getStore() },
        ...{ answer: resolve, fail: reject },
      })
      return promise as Promise<Row[]>
    },
    grouped: (_: string, members: number) => void sizes.push(members),
    hook: {
      around: <Result>(_: string, run: () => Promise<Result>) => run(),
      keepContext: () => AsyncLocalStorage.snapshot(),
      aroundGroup: <Result>(name: string, callers: readonly InContext[], run: () => Promise<Result>) => {
        hooks.push({ name, callers: callers.map((inContext) => inContext(() => context.getStore())) })
        return run()
      },
    },
  }
  const statement = new GroupedStatement<Input, { readonly saw: string }>(statements, GROUPING, bounds)
  const ask = (of: string, word?: string) =>
    context.run(`request ${of}`, () => statement.query({ of, ...(word !== undefined && { word }) }))
  return { ask, sent, sizes, hooks }
}

/** The rows of a group: each member sees its own name. */
const seen = (members: readonly string[]) => members.map((of, n) => ({ n, saw: of }))
const fill = (s: ReturnType<typeof grouped>, names: string) => [...names].map((of) => s.ask(of))

test('an input that finds nobody waiting goes out in the same turn, alone and in the context of its caller', async (t) => {
  const { ask, sent, sizes } = grouped()

  const rows = ask('a')
  await turn()
  t.like(sent[0], { name: 'alone', members: ['a'], context: 'request a' })
  sent[0]!.answer([{ saw: 'a' }])

  t.deepEqual(await rows, [{ saw: 'a' }])
  t.deepEqual(sizes, [1])
})

test('inputs that wait at the same moment share a statement, in the context of none, and each gets its rows', async (t) => {
  const s = grouped()

  const rows = fill(s, 'abc')
  await turn()
  t.deepEqual(
    s.sent.map(({ name, members, context }) => [name, members, context]),
    [['together', ['a', 'b', 'c'], undefined]],
  )
  s.sent[0]!.answer([
    { n: 2, saw: 'c' },
    { n: 0, saw: 'a' },
  ])

  t.deepEqual(await Promise.all(rows), [[{ n: 0, saw: 'a' }], [], [{ n: 2, saw: 'c' }]])
  t.deepEqual(s.sizes, [3])
  t.deepEqual(s.hooks, [{ name: 'test.ask-group', callers: ['request a', 'request b', 'request c'] }])
})

test('while the groups that may be under way are, the next one fills', async (t) => {
  const s = grouped({ slots: new Slots(1) })

  const first = s.ask('a')
  await turn()
  const others = fill(s, 'bcd')
  await turn()
  t.is(s.sent.length, 1)
  s.sent[0]!.answer([{ saw: 'a' }])
  await first
  while (s.sent.length === 1) await turn()
  t.deepEqual(s.sent[1]?.members, ['b', 'c', 'd'])
  s.sent[1]!.answer(seen(['b', 'c', 'd']))
  t.is((await Promise.all(others)).flat().length, 3)
})

test('a group that is slow holds up no other', async (t) => {
  const s = grouped({ slots: new Slots(1), slowAfterMs: 1 })

  const slow = s.ask('a')
  await turn()
  const next = s.ask('b')
  while (s.sent.length === 1) await turn()
  s.sent[1]!.answer([{ saw: 'b' }])
  t.deepEqual(await next, [{ saw: 'b' }])

  // It counts once, so the end of the slow one makes no room for two.
  s.sent[0]!.answer([{ saw: 'a' }])
  await slow
  const last = s.ask('c')
  await turn()
  t.is(s.sent.length, 3)
  s.sent[2]!.answer([])
  await last
})

test('a statement that gathers waits for others to share it with', async (t) => {
  const { ask, sent } = grouped({ gatherForMs: 300 })

  const first = ask('a')
  await turn()
  const later = ask('b')
  while (sent.length === 0) await turn()
  t.deepEqual(sent[0]!.members, ['a', 'b'])
  sent[0]!.answer(seen(['a', 'b']))

  t.deepEqual(await Promise.all([first, later]), [[{ n: 0, saw: 'a' }], [{ n: 1, saw: 'b' }]])
})

test('two inputs with one key never share a statement', async (t) => {
  const s = grouped({ slots: new Slots(1) })

  const rows = fill(s, 'aabab')
  const groups: (readonly string[])[] = []
  for (let n = 0; n < 3; n++) {
    while (s.sent.length === n) await turn()
    groups.push(s.sent[n]!.members)
    s.sent[n]!.answer(seen(s.sent[n]!.members))
  }

  t.deepEqual(groups, [['a', 'b'], ['a', 'b'], ['a']])
  await Promise.all(rows)
})

test('an input waits as long as another one of its key is under way, and then joins behind those that waited', async (t) => {
  const s = grouped({ slots: new Slots(9), mostMembers: 2 })

  const rows = fill(s, 'aaab')
  await turn()
  const other = s.ask('c')
  await turn()
  t.deepEqual(
    s.sent.map(({ members }) => members),
    [['a', 'b'], ['c']],
  )
  s.sent[0]!.answer([
    { n: 0, alone: true },
    { n: 1, saw: 'b' },
  ])
  await rows[3]
  await turn()
  t.like(s.sent[2], { name: 'alone', members: ['a'] })
  t.is(s.sent.length, 3)
  s.sent[2]!.fail(new StorageUnavailable('55P03'))
  await t.throwsAsync(rows[0]!, { message: /55P03/ })

  for (let n = 3; n < 5; n++) {
    while (s.sent.length === n) await turn()
    t.deepEqual(s.sent[n]!.members, ['a'])
    s.sent[n]!.answer([{ saw: 'a' }])
  }
  s.sent[1]!.answer([])
  await Promise.all([rows[1], rows[2], other])
})

test('a key with a crowd behind it rests between two of its inputs, others go out meanwhile, and a few behind do not count', async (t) => {
  const s = grouped({ mostRestInMs: 400 })

  const rows = fill(s, 'aaaaaa')
  const begun = performance.now()
  while (performance.now() - begun < 134) await turn()
  const answeredAt = performance.now()
  s.sent[0]!.answer([{ saw: 'a' }])
  await rows[0]
  const other = s.ask('b')
  await turn()
  t.deepEqual(s.sent[1]!.members, ['b'], 'the crowded key rests')
  s.sent[1]!.answer([{ saw: 'b' }])
  await other

  while (s.sent.length === 2) await turn()
  t.true(performance.now() - answeredAt > 390)
  t.deepEqual(s.sent[2]!.members, ['a'])
  for (let n = 2; n < 7; n++) {
    s.sent[n]!.answer([{ saw: 'a' }])
    await rows[n - 1]
    if (n === 6) break
    await turn()
    t.deepEqual(s.sent[n + 1]!.members, ['a'], 'a few behind follow at once')
  }
})

test('an input that waits behind its key for too long fails when its turn comes', async (t) => {
  const s = grouped({ mostWaitBehindInMs: 200, slowAfterMs: 60_000 })

  const [first, late] = fill(s, 'aa')
  await turn()
  const begun = performance.now()
  while (performance.now() - begun <= 200) await turn()
  const intime = s.ask('a')
  s.sent[0]!.answer([{ saw: 'a' }])

  t.deepEqual(await first, [{ saw: 'a' }])
  await t.throwsAsync(late!, { instanceOf: StorageUnavailable, message: /no statement in time/ })
  while (s.sent.length === 1) await turn()
  s.sent[1]!.answer([])
  t.deepEqual(await intime, [])
})

test('an input that shares no statement goes alone, and the others without it', async (t) => {
  const s = grouped({ slots: new Slots(1) })

  const rows = [s.ask('a'), s.ask('b', 'alone'), s.ask('c'), s.ask('d', 'alone')]
  for (let n = 0; n < 3; n++) {
    while (s.sent.length === n) await turn()
    s.sent[n]!.answer([])
  }

  t.deepEqual(
    s.sent.map(({ name, members }) => [name, ...members]),
    [
      ['together', 'a', 'c'],
      ['alone', 'b'],
      ['alone', 'd'],
    ],
  )
  await Promise.all(rows)
})

test('a group has at most its number of members, the oldest first', async (t) => {
  const s = grouped({ mostMembers: 2 })

  const rows = fill(s, 'abcde')
  for (let n = 0; n < 3; n++) {
    while (s.sent.length === n) await turn()
    s.sent[n]!.answer(seen(s.sent[n]!.members))
  }

  t.deepEqual(
    s.sent.map(({ members }) => members),
    [['a', 'b'], ['c', 'd'], ['e']],
  )
  await Promise.all(rows)
})

test('a group has at most its number of bytes, and who alone has more goes alone', async (t) => {
  const s = grouped({ mostBytes: 100 })

  const rows = [
    s.ask('a', 'x'.repeat(200)),
    s.ask('b', 'x'.repeat(60)),
    s.ask('c', 'x'.repeat(60)),
    s.ask('d'),
  ]
  for (let n = 0; n < 3; n++) {
    while (s.sent.length === n) await turn()
    s.sent[n]!.answer(seen(s.sent[n]!.members))
  }

  t.deepEqual(
    s.sent.map(({ members }) => members),
    [['a'], ['b', 'd'], ['c']],
  )
  await Promise.all(rows)
})

test('if the database refuses a group, each member is sent alone, so that only the one at fault fails', async (t) => {
  const s = grouped()
  const fault = new StorageFault('a value that cannot be stored')

  const rows = Promise.allSettled(fill(s, 'abc'))
  await turn()
  s.sent[0]!.fail(fault)
  while (s.sent.length < 4) await turn()
  t.deepEqual(
    s.sent.slice(1).map(({ name, members, context }) => [name, members[0], context]),
    [...'abc'].map((of) => ['alone', of, `request ${of}`]),
  )
  s.sent[1]!.answer([{ saw: 'a' }])
  s.sent[2]!.fail(fault)
  s.sent[3]!.answer([{ saw: 'c' }])

  t.deepEqual(await rows, [
    { status: 'fulfilled', value: [{ saw: 'a' }] },
    { status: 'rejected', reason: fault },
    { status: 'fulfilled', value: [{ saw: 'c' }] },
  ])
})

for (const [what, error] of [
  ['the connection of a group is lost', new StorageUnavailable('Connection terminated')],
  ['the answer to a group makes no sense', new Error('Received invalid response: 45')],
] as const) {
  test(`if ${what}, nobody knows what was stored, so all members fail and none is sent again`, async (t) => {
    const s = grouped()

    const rows = Promise.allSettled(fill(s, 'abc'))
    await turn()
    s.sent[0]!.fail(error)

    await turn()
    t.is(s.sent.length, 1)
    t.deepEqual(
      (await rows).map((each) => each.status === 'rejected' && each.reason),
      [error, error, error],
    )
  })
}

test('a member that a group could not decide is sent alone, once the others have their rows', async (t) => {
  const s = grouped()

  const [a, b] = fill(s, 'ab')
  await turn()
  s.sent[0]!.answer([
    { n: 0, saw: 'a' },
    { n: 1, alone: true },
  ])
  t.deepEqual(await a, [{ n: 0, saw: 'a' }])
  t.like(s.sent[1], { name: 'alone', members: ['b'], context: 'request b' })
  s.sent[1]!.answer([{ saw: 'b' }])

  t.deepEqual(await b, [{ saw: 'b' }])
})

test('an input that no group takes in time fails, and the next ones go on', async (t) => {
  const s = grouped({ slots: new Slots(1), slowAfterMs: 60_000, mostWaitInMs: 500 })

  const first = s.ask('a')
  await turn()
  const late = s.ask('b')
  const begun = performance.now()
  while (performance.now() - begun <= 500) await turn()
  const intime = s.ask('c')
  s.sent[0]!.answer([{ saw: 'a' }])
  await first

  await t.throwsAsync(late, { instanceOf: StorageUnavailable, message: /no statement in time/ })
  while (s.sent.length === 1) await turn()
  t.deepEqual(s.sent[1]?.members, ['c'])
  s.sent[1]!.answer([{ saw: 'c' }])
  t.deepEqual(await intime, [{ saw: 'c' }])
})

test('an input that cannot be written as JSON fails alone, and takes no member along', async (t) => {
  const s = grouped()
  const unwritable = { toString: () => 'b', toJSON: () => assert.fail('no JSON') } as unknown as string

  const rows = Promise.allSettled([s.ask('a'), s.ask(unwritable), s.ask('c')])
  await turn()
  t.deepEqual(s.sent[0]?.members, ['a', 'c'])
  s.sent[0]!.answer(seen(['a', 'c']))

  t.deepEqual(
    (await rows).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

test('an input that a stored one has beaten is not sent, and gets no row', async (t) => {
  const s = grouped({ slots: new Slots(1) })

  const first = s.ask('a')
  await turn()
  const [beaten, newer, other] = [s.ask('a', 'old'), s.ask('a', 'new'), s.ask('b', 'old')]
  s.sent[0]!.answer([{ saw: 'a' }])
  await first

  t.deepEqual(await beaten, [])
  while (s.sent.length === 1) await turn()
  t.deepEqual(s.sent[1]?.members, ['b', 'a'])
  s.sent[1]!.answer([])
  t.deepEqual([await newer, await other], [[], []])
})

test('an input that was not stored beats nobody', async (t) => {
  const s = grouped({ slots: new Slots(1) })

  const first = s.ask('a')
  await turn()
  const next = s.ask('a', 'old')
  s.sent[0]!.answer([])
  await first
  while (s.sent.length === 1) await turn()
  t.deepEqual(s.sent[1]?.members, ['a'])
  s.sent[1]!.answer([{ saw: 'a' }])

  t.deepEqual(await next, [{ saw: 'a' }])
})
