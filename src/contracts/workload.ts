/** What else this process has to do at the moment. */
export abstract class Workload {
  /** Requests taken and not answered yet. */
  abstract inFlight(): number
}
