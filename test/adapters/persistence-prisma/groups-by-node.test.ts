import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import pg from 'pg'
import type { Statements } from '../../../src/adapters/persistence-prisma/connection/statements.ts'
import type { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { GroupsByNode } from '../../../src/adapters/persistence-prisma/sharding/groups.ts'
import { Nodes } from '../../../src/adapters/persistence-prisma/sharding/nodes.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'

interface Call {
  readonly name: string
  readonly bucket: number
  readonly members: readonly number[]
  answer(rows: object[]): void
}

type Ask = (bucket: number) => Promise<object[]>

/** What the look for the nodes finds. `placed` says on which node each bucket is. */
const found = (placed: (number | undefined)[]) => [
  { nodes: placed as number[], cluster: 'a cluster', servers: [] },
]

/** Calls over the coordinator, whose answers the test gives. There is no other way. */
async function groups(placed: (number | undefined)[], lookEveryMs?: number) {
  const calls: Call[] = []
  const looks: PromiseWithResolvers<ReturnType<typeof found>>[] = []
  const send = () => {
    const look = Promise.withResolvers<ReturnType<typeof found>>()
    looks.push(look)
    return look.promise
  }
  const nodes = new Nodes({ send, coordinator: new pg.Pool(), connectTo: undefined }, lookEveryMs)
  nodes.of(0)
  looks[0]!.resolve(found(placed))
  await turn()
  const statements = {
    sendTo: async () => undefined,
    send: ({ text, values: [bucket, inputs] }: Prisma.Sql) => {
      const { promise, resolve } = Promise.withResolvers<object[]>()
      const members = JSON.parse(inputs as string) as { readonly bucket: number }[]
      calls.push({
        ...{ name: text.slice(3, text.indexOf(' */')), bucket: bucket as number, answer: resolve },
        members: members.map((member) => member.bucket),
      })
      return promise
    },
    grouped: () => {},
    hook: {
      around: <Result>(_: string, run: () => Result) => run(),
      keepContext:
        () =>
        <Result>(work: () => Result) =>
          work(),
      aroundGroup: <Result>(_name: string, _callers: unknown, run: () => Result) => run(),
    },
  } as unknown as Statements
  const [ask, tell] = ['ask', 'tell'].map((called) => {
    const grouping = {
      name: `test.${called}`,
      columns: (input: { readonly bucket: number }) => input,
      sharded: { called, bucket: ({ bucket }: { readonly bucket: number }) => bucket },
    }
    const of = new GroupsByNode<{ readonly bucket: number }, object>(statements, nodes, grouping)
    return (bucket: number) => of.query({ bucket })
  }) as [Ask, Ask]
  return { ask, tell, calls, looks }
}

const sortedByNode = (calls: readonly Call[]) => calls.map(({ name, members }) => [name, ...members])

test('inputs of one node share a call that runs there, and those of another node have their own', async (t) => {
  const { ask, calls } = await groups([1, 2, 1, 2, 1])

  const all = [0, 1, 2, 3, 4].map(ask)
  await turn()

  t.deepEqual(sortedByNode(calls), [
    ['test.ask-group', 0, 2, 4],
    ['test.ask-group', 1, 3],
  ])
  t.deepEqual(
    calls.map(({ bucket }) => bucket),
    [0, 1],
  )
  calls[0]!.answer([{ n: 2, saw: 'four' }])
  calls[1]!.answer([{ n: 0, saw: 'one' }])
  const rows = await Promise.all(all)
  t.deepEqual(rows, [[], [{ n: 0, saw: 'one' }], [], [], [{ n: 2, saw: 'four' }]])
})

test('a node that does not answer holds up nothing for another', async (t) => {
  const { ask, calls } = await groups([1, 2])
  for (let n = 0; n < 3; n++) {
    void ask(0)
    await turn()
  }

  const rows = ask(1)
  await turn()
  calls.find(({ bucket }) => bucket === 1)!.answer([{ n: 0 }])

  t.deepEqual(await rows, [{ n: 0 }])
})

test('calls of all kinds for one node take turns, the one that came first next', async (t) => {
  const { ask, tell, calls } = await groups([1, 1, 2])
  void ask(0)
  await turn()
  void tell(0)
  void ask(1)
  void tell(1)
  void tell(2)
  await turn()
  const begun = [
    ['test.ask', 0],
    ['test.tell', 2],
  ]
  t.deepEqual(sortedByNode(calls), begun)

  calls[0]!.answer([])
  await turn()
  await turn()
  begun.push(['test.tell-group', 0, 1])
  t.deepEqual(sortedByNode(calls), begun)

  calls[2]!.answer([])
  await turn()
  await turn()
  t.deepEqual(sortedByNode(calls), [...begun, ['test.ask', 1]])
})

test('of the calls for a node that hangs, five at a time go over the coordinator, and the next one fails', async (t) => {
  const { ask, calls } = await groups([1, 2])
  for (let n = 0; n < 5; n++) {
    void ask(0)
    while (calls.length === n) await turn()
  }

  await t.throwsAsync(ask(0), { instanceOf: StorageUnavailable })
  void ask(1)
  await turn()
  t.is(calls.at(-1)!.bucket, 1)
  calls[0]!.answer([])
  await turn()
  void ask(0)
  while (calls.length < 7) await turn()
  t.is(calls[6]!.bucket, 0)
})

test('while the node of a bucket is not known, each input goes alone and at once', async (t) => {
  const { ask, calls } = await groups([])

  for (const bucket of [0, 1, 2]) void ask(bucket)
  await turn()
  await turn()
  await turn()

  t.deepEqual(sortedByNode(calls), [
    ['test.ask', 0],
    ['test.ask', 1],
    ['test.ask', 2],
  ])
})

test('a bucket that has moved shares the calls of its new node after the next look', async (t) => {
  const { ask, calls, looks } = await groups([1, 2], 0)
  void ask(0)
  looks.at(-1)!.resolve(found([2, 2]))
  await turn()

  void ask(0)
  void ask(1)
  await turn()

  t.deepEqual(sortedByNode(calls), [
    ['test.ask', 0],
    ['test.ask-group', 0, 1],
  ])
})

test('a look that fails leaves what was known', async (t) => {
  const { ask, calls, looks } = await groups([1, 1], 0)
  void ask(0)
  looks.at(-1)!.reject(new Error('away'))
  await turn()
  calls[0]!.answer([])
  await turn()

  void ask(0)
  void ask(1)
  await turn()

  t.deepEqual(sortedByNode(calls).at(-1), ['test.ask-group', 0, 1])
})
