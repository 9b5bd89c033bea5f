import test from 'ava'
import { type ImportLine, ImportUsers } from '../../../src/application/users/import-users.ts'
import { NOON } from '../../domain/examples.ts'
import { inMemoryStores } from '../../doubles/in-memory/in-memory-stores.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const LINES: readonly ImportLine[] = [
  { number: 2, draft: { userId: 'alice', email: 'alice@example.com', locale: 'de' } },
  { number: 3, draft: { userId: 'bob', email: 'bob@example.com, mallory@example.com' } },
  { number: 4, problem: 'not JSON' },
  { number: 5, draft: { userId: 'carol', email: 'carol@example.com', locale: 'de_AT' } },
  { number: 6, draft: { userId: 'alice', email: 'alice@elsewhere.example' } },
]

async function importing(lines: readonly ImportLine[], allOrNothing: boolean) {
  const store = inMemoryStores()
  const told: number[] = []
  const report = await new ImportUsers(store.registry, new SettableClock(NOON)).execute({
    lines: (async function* () {
      yield* lines
    })(),
    allOrNothing,
    onLine: (number) => told.push(number),
  })
  return { store, told, report }
}

test('every good line is stored, every bad one reported with its number and without its value', async (t) => {
  const { store, told, report } = await importing(LINES, false)

  t.deepEqual(report, {
    created: 2,
    updated: 1,
    refused: [
      { number: 3, problem: 'email: Not one plain e-mail address' },
      { number: 4, problem: 'not JSON' },
    ],
    warned: [],
  })
  t.like(await store.registry.find('alice'), { email: 'alice@elsewhere.example' })
  t.is(await store.registry.find('bob'), undefined)
  t.deepEqual(told, [2, 3, 4, 5, 6])
})

test('an internationalised domain is stored as its A-labels', async (t) => {
  const { store, report } = await importing(
    [
      { number: 2, draft: { userId: 'alice', email: 'info@bücher.example' } },
      { number: 3, draft: { userId: 'bob', email: 'jürgen@example.com' } },
    ],
    false,
  )

  t.like(await store.registry.find('alice'), { email: 'info@xn--bcher-kva.example' })
  t.deepEqual(report.refused, [
    { number: 3, problem: 'email: The part of the address before the @ must be ASCII' },
  ])
})

test('a bad line names the field that is at fault', async (t) => {
  const dave = { userId: 'dave', email: 'dave@example.com' }

  const { report } = await importing(
    [
      { number: 2, draft: { ...dave, userId: 'dave\n' } },
      { number: 3, draft: { ...dave, displayName: 'D\nave' } },
      { number: 4, draft: { ...dave, email: 'dave' } },
    ],
    false,
  )

  t.deepEqual(
    report.refused.map(({ problem }) => problem.split(':')[0]),
    ['userId', 'displayName', 'email'],
  )
})

for (const allOrNothing of [true, false]) {
  test(`a locale that cannot be read is a warning, and refuses no user${allOrNothing ? ', when all or nothing is asked for' : ''}`, async (t) => {
    const carol = { userId: 'carol', email: 'carol@example.com' }
    const lines = [
      { number: 2, draft: { ...carol, locale: 'de_AT' } },
      { number: 3, draft: { ...carol, userId: 'dave', locale: 'Österreichisch' } },
    ]

    const { store, report } = await importing(lines, allOrNothing)

    t.deepEqual(report, {
      created: 2,
      updated: 0,
      refused: [],
      warned: [{ number: 3, problem: 'locale: not a language tag (BCP 47), so the mails are in English' }],
    })
    t.is((await store.registry.find('carol'))?.locale, 'de-AT')
    t.is((await store.registry.find('dave'))?.locale, undefined)
  })
}

test('what is imported is on record as the work of the operator', async (t) => {
  for (const allOrNothing of [true, false]) {
    const { store } = await importing([LINES[0]!], allOrNothing)
    t.like(store.events.at(-1), { type: 'user-put', actor: 'operator:import' })
  }
})

test('a defect is not taken for a bad line', async (t) => {
  const draft = { userId: 'alice' } as { userId: string; email: string }

  await t.throwsAsync(importing([{ number: 2, draft }], false), { instanceOf: TypeError })
})

test('one bad line means nothing, when all or nothing is asked for', async (t) => {
  const { store, report } = await importing(LINES, true)

  t.like(report, { created: 0, updated: 0 })
  t.is(report.refused.length, 2)
  t.is(await store.registry.find('alice'), undefined)
})

test('without a bad line all is stored, when all or nothing is asked for', async (t) => {
  const { store, report } = await importing([LINES[0]!, LINES[4]!], true)

  t.deepEqual(report, { created: 1, updated: 1, refused: [], warned: [] })
  t.truthy(await store.registry.find('alice'))
})
