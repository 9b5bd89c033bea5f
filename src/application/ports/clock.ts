/** The service's one clock. A use case reads it once, so that one decision knows one time. */
export abstract class Clock {
  abstract now(): Date
}
