import type { RequestCount, Workload } from '../../../contracts/workload.ts'
import type { EdgeMiddleware } from './state.ts'

/**
 * Counts the requests whose headers were read and which are not answered yet. The thread that answers them counts, and
 * other threads may read the same count.
 */
export class InFlightRequests implements Workload {
  readonly #count: RequestCount

  constructor(count: RequestCount = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))) {
    this.#count = count
  }

  inFlight(): number {
    return Atomics.load(this.#count, 0)
  }

  middleware(): EdgeMiddleware {
    return async (_, next) => {
      Atomics.add(this.#count, 0, 1)
      try {
        await next()
      } finally {
        Atomics.sub(this.#count, 0, 1)
      }
    }
  }
}
