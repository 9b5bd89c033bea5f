import test, { type ExecutionContext } from 'ava'
import standIn, { takeDeclaredTests } from './declared-tests.ts'

/** What becomes of a test under the stand-in. */
async function outcomeOf(implementation: (t: ExecutionContext) => unknown): Promise<boolean> {
  standIn('a test', implementation)
  const [declared] = takeDeclaredTests()
  return (await declared!.run()).passed
}

test.serial('a test that asserts what is so passes', async (t) => {
  t.true(await outcomeOf((u) => u.is(1, 1)))
  t.true(await outcomeOf(async (u) => u.like({ a: new Date(1), b: 2 }, { a: new Date(1) })))
  t.true(await outcomeOf((u) => u.throwsAsync(Promise.reject(new TypeError('x')), { instanceOf: TypeError })))
})

for (const [what, implementation] of [
  ['asserts what is not so', (u) => u.is(1, 2)],
  ['asserts what is not so, and says so late', async (u) => u.deepEqual([new Date(1)], [new Date(2)])],
  [
    'catches its own failure',
    (u) => {
      try {
        u.fail()
      } catch {}
    },
  ],
  [
    'expects another error',
    (u) =>
      u.throws(
        () => {
          throw new RangeError('x')
        },
        { instanceOf: TypeError },
      ),
  ],
  ['asserts nothing', () => {}],
  ['does not wait for what it asserts', (u) => void u.throwsAsync(new Promise(() => {}))],
  [
    'throws',
    () => {
      throw new Error('x')
    },
  ],
  ['rejects', () => Promise.reject(new Error('x'))],
] satisfies [string, (u: ExecutionContext) => unknown][]) {
  test.serial(`a test that ${what} fails`, async (t) => {
    t.false(await outcomeOf(implementation))
  })
}

test.serial('what would have to run otherwise than one test after the other is refused', (t) => {
  for (const declare of [
    () => standIn.before(() => {}),
    () => standIn.afterEach.always(() => {}),
    () => standIn.only('a test', () => {}),
    () => standIn.skip('a test', () => {}),
    () => standIn.todo('a test'),
  ]) {
    t.throws(declare)
  }
  t.deepEqual(takeDeclaredTests(), [])
})
