import type { ExecutionContext } from 'ava'
import { until } from '../../test/journeys/client.ts'
import { type Promised, walk } from '../../test/journeys/promised-walks.ts'

/** So many that their requests share statements. */
const WALKERS = 8
/** Users whose journeys must finish if the service works. */
const WALKS = 6

export interface Walkers {
  /** Resolves once so many walks that begin from now on have finished. */
  more(): Promise<void>
  /** Starts no more walks, and resolves when all have ended. */
  end(): Promise<void>
}

/** Walks repeatedly, whether or not walks fail. */
export function keepWalking(t: ExecutionContext, url: string, promised: Promised): Walkers {
  let ending = false
  // A walk rejects if a fault cuts it off, as intended.
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
