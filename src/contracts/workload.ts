/** What else this process is doing at the moment. */
export abstract class Workload {
  /** Requests that were accepted and not answered yet. */
  abstract inFlight(): number
}

/** One number in memory that threads share: {@link Workload.inFlight}. The thread that answers requests writes it. */
export type RequestCount = Int32Array<SharedArrayBuffer>
