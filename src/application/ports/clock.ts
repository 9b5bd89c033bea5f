/** The only clock of the service. A use case reads it once for each decision, so that a decision has one time. */
export abstract class Clock {
  abstract now(): Date
}
