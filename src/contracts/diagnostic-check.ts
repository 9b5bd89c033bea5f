/** What a check reports to an operator. Contains no secret and no address of a user. */
export interface CheckResult {
  /** What was checked, in kebab-case. */
  readonly name: string
  /** `warning`: the service works, but the operator should act. `failed`: the service does not work. */
  readonly level: 'ok' | 'warning' | 'failed'
  readonly found: string
  /** How to fix it; absent if the level is `ok`. */
  readonly remedy?: string
}

/** Checks something that the service needs. Unlike a {@link HealthCheck} it goes into depth, and runs only on request. */
export abstract class DiagnosticCheck {
  /** Names the check in the report if it times out. */
  abstract readonly name: string

  /** Yields each result as soon as it is known. Changes nothing and sends no mail. */
  abstract run(): AsyncIterable<CheckResult>
}

export const CheckResult = {
  ok: (name: string, found: string): CheckResult => ({ name, level: 'ok', found }),
  warning: (name: string, found: string, remedy: string): CheckResult => ({
    name,
    level: 'warning',
    found,
    remedy,
  }),
  failed: (name: string, found: string, remedy: string): CheckResult => ({
    name,
    level: 'failed',
    found,
    remedy,
  }),
}
