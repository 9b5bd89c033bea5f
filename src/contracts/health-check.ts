/** One thing the service needs in order to serve. */
export abstract class HealthCheck {
  abstract readonly name: string

  /** Undefined if it works, otherwise the problem, in words that an operator can act on. Returns within a bounded time. */
  abstract problem(): Promise<string | undefined>

  /** What an operator should know although it works; undefined if there is nothing. */
  remark?(): string | undefined
}
