import test from 'ava'
import { scenario } from '../scenario.ts'

test('pages of a subject follow each other, and the last one says so', async (t) => {
  const { open, clock, listChallenges } = await scenario()
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    ids.unshift(await open())
    clock.pass(1)
  }
  await open('bob')

  const first = await listChallenges.execute({ subjectUserId: 'alice', limit: 3 })
  const second = await listChallenges.execute({ subjectUserId: 'alice', limit: 3, after: first.next })

  t.deepEqual(
    [first, second].map(({ challenges }) => challenges.map(({ challenge }) => challenge.id)),
    [ids.slice(0, 3), ids.slice(3)],
  )
  t.is(second.next, undefined)
})

test('a page that holds exactly what is left is the last one', async (t) => {
  const { open, listChallenges } = await scenario()
  await open()
  await open()

  t.is((await listChallenges.execute({ subjectUserId: 'alice', limit: 2 })).next, undefined)
  t.truthy((await listChallenges.execute({ subjectUserId: 'alice', limit: 1 })).next)
})

test('a challenge past its deadline is listed as expired', async (t) => {
  const { open, clock, listChallenges } = await scenario()
  await open()
  clock.pass(900)

  const { challenges } = await listChallenges.execute({ subjectUserId: 'alice', limit: 1 })

  t.is(challenges[0]?.status, 'expired')
  t.is(challenges[0]?.challenge.status, 'pending')
})

test('a subject without challenges has an empty page', async (t) => {
  const { listChallenges } = await scenario()

  t.deepEqual(await listChallenges.execute({ subjectUserId: 'nobody', limit: 10 }), {
    challenges: [],
    next: undefined,
  })
})
