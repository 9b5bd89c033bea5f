import test from 'ava'
import type { Purged } from '../../../src/application/ports/retention.ts'
import { PurgeChallenges } from '../../../src/application/retention/purge-challenges.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'
import { scenario } from '../scenario.ts'

const DAY = 86_400
const PERIODS = { challengesInDays: 90, trailInDays: 400 }

test('a challenge is kept for the days of its retention, and not a millisecond more', async (t) => {
  const { open, store } = await scenario()
  const id = await open()
  const { expiresAt } = (await store.stepUps.load(id))!.challenge
  const purge = (now: Date) =>
    Array.fromAsync(new PurgeChallenges(store.retention, new SettableClock(now), PERIODS).execute())

  await purge(secondsAfter(expiresAt, 90 * DAY))
  t.truthy(await store.stepUps.load(id))

  const progress = await purge(secondsAfter(expiresAt, 90 * DAY + 0.001))
  t.is(await store.stepUps.load(id), undefined)
  t.deepEqual(progress.at(-1), { challenges: 1, events: 0 })
})

test('each batch adds to what has been deleted so far, first challenges and then events', async (t) => {
  const asked: number[] = []
  const retention = {
    purge: async function* (): AsyncGenerator<Purged> {
      yield { challenges: 500, events: 0 }
      yield { challenges: 20, events: 0 }
    },
    purgeTrail: async function* (keptDays: number): AsyncGenerator<Purged> {
      asked.push(keptDays)
      yield { challenges: 0, events: 1200 }
      yield { challenges: 0, events: 53 }
    },
  }

  const progress = await Array.fromAsync(
    new PurgeChallenges(retention, new SettableClock(NOON), PERIODS).execute(),
  )

  t.deepEqual(progress, [
    { challenges: 500, events: 0 },
    { challenges: 520, events: 0 },
    { challenges: 520, events: 1200 },
    { challenges: 520, events: 1253 },
  ])
  t.deepEqual(asked, [400])
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
    purgeTrail: async function* (): AsyncGenerator<Purged> {
      begun++
      yield { challenges: 0, events: 0 }
    },
  }

  const purging = new PurgeChallenges(retention, new SettableClock(NOON), PERIODS)
  for await (const { challenges } of purging.execute()) if (challenges === 2) break

  t.is(begun, 2)
  t.true(ended)
})
