/** What else this process is doing at the moment. */
export abstract class Workload {
  /** Requests that were accepted and not answered yet. */
  abstract inFlight(): number
}
