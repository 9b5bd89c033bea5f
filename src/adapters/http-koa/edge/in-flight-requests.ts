import type { Workload } from '../../../contracts/workload.ts'
import type { EdgeMiddleware } from './state.ts'

/** Counts the requests whose headers were read and which are not answered yet. */
export class InFlightRequests implements Workload {
  #count = 0

  inFlight(): number {
    return this.#count
  }

  middleware(): EdgeMiddleware {
    return async (_, next) => {
      this.#count++
      try {
        await next()
      } finally {
        this.#count--
      }
    }
  }
}
