/** What an operator is told about one thing. Holds no secret and no address of a user. */
export interface CheckResult {
  /** Of what, as kebab-case. */
  readonly name: string
  /** With a warning it works, and something should be done; what failed keeps it from working. */
  readonly level: 'ok' | 'warning' | 'failed'
  readonly found: string
  /** What to do about it; there unless all is well. */
  readonly remedy?: string
}

/** Looks at something that the service needs, in more depth than a {@link HealthCheck} and only when it is asked to. */
export abstract class DiagnosticCheck {
  /** For the case that it comes to no end. */
  abstract readonly name: string

  /** Tells what it finds as it goes along. Changes nothing and sends nothing. */
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
