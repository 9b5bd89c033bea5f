import type { ExecutionContext } from 'ava'
import { until } from '../../test/journeys/client.ts'
import { type Promised, walk } from '../../test/journeys/promised-walks.ts'

const WALKERS = 4
/** Walks that have to come to their end for the service to be called at work. */
const WALKS = 6

export interface Walkers {
  /** Resolves once so many more walks, begun from now on, have come to their end. */
  more(): Promise<void>
  /** Begins none any more, and resolves when all have ended. */
  end(): Promise<void>
}

/** Walks all the time, whatever becomes of it. */
export function keepWalking(t: ExecutionContext, url: string, promised: Promised): Walkers {
  let ending = false
  // What a fault cuts off rejects, which is what it is for.
  const arrives = () =>
    walk(url, promised).then(
      () => true,
      () => false,
    )
  const walking = Array.from({ length: WALKERS }, async () => {
    while (!ending) await arrives()
  })
  t.teardown(() => {
    ending = true
  })
  return {
    more: async () => {
      for (let count = 0; count < WALKS; count++) await until(arrives, Boolean)
    },
    end: async () => {
      ending = true
      await Promise.all(walking)
    },
  }
}
