import type { Middleware } from 'koa'
import type { Workload } from '../../../contracts/workload.ts'

/** Counts the requests between their headers and their answer. */
export class InFlightRequests implements Workload {
  #count = 0

  inFlight(): number {
    return this.#count
  }

  middleware(): Middleware {
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
