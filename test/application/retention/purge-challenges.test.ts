import test from 'ava'
import type { Purged } from '../../../src/application/ports/retention.ts'
import { PurgeChallenges } from '../../../src/application/retention/purge-challenges.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'
import { scenario } from '../scenario.ts'

const DAY = 86_400

test('a challenge is kept for the days of its retention, and not a millisecond more', async (t) => {
  const { open, store } = await scenario()
  const id = await open()
  const { expiresAt } = (await store.stepUps.load(id))!.challenge
  const purge = (now: Date) =>
    Array.fromAsync(new PurgeChallenges(store.retention, new SettableClock(now), 90).execute())

  await purge(secondsAfter(expiresAt, 90 * DAY))
  t.truthy(await store.stepUps.load(id))

  const progress = await purge(secondsAfter(expiresAt, 90 * DAY + 0.001))
  t.is(await store.stepUps.load(id), undefined)
  t.deepEqual(progress.at(-1), { challenges: 1, events: 1 })
})

test('each batch adds to what has been deleted so far', async (t) => {
  const batches: readonly Purged[] = [
    { challenges: 500, events: 1200 },
    { challenges: 20, events: 50 },
    { challenges: 0, events: 3 },
  ]
  const retention = {
    purge: async function* () {
      yield* batches
    },
  }

  const progress = await Array.fromAsync(
    new PurgeChallenges(retention, new SettableClock(NOON), 90).execute(),
  )

  t.deepEqual(progress, [
    { challenges: 500, events: 1200 },
    { challenges: 520, events: 1250 },
    { challenges: 520, events: 1253 },
  ])
})

test('whoever stops reading stops the purge', async (t) => {
  let begun = 0
  let ended = false
  const retention = {
    purge: async function* () {
      try {
        for (;;) {
          begun++
          yield { challenges: 1, events: 1 }
        }
      } finally {
        ended = true
      }
    },
  }

  for await (const { challenges } of new PurgeChallenges(retention, new SettableClock(NOON), 90).execute()) {
    if (challenges === 2) break
  }

  t.is(begun, 2)
  t.true(ended)
})
