/** One thing the service needs in order to serve. */
export abstract class HealthCheck {
  abstract readonly name: string

  /** Undefined if all is well, otherwise what is wrong, in words an operator can act on. Bounded in time. */
  abstract problem(): Promise<string | undefined>
}
