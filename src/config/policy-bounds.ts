import type { ConfigWarning } from './config-warning.ts'
import type { Environment } from './environment.ts'
import { VARIABLES } from './variables.ts'

/** How far a limit can be moved before it protects nobody. Both numbers are included in what is allowed. */
interface PolicyBound {
  readonly variable: keyof typeof VARIABLES
  /** Production does not start below or above it. */
  readonly refused: { readonly below: number } | { readonly above: number }
  /** Below or above it, `config check`, `doctor` and the start of the service warn. */
  readonly warned: number
  /** What goes wrong beyond it. Continues "…, and". */
  readonly effect: string
  /** The clause that the bound comes from. */
  readonly source: string
}

/** docs/configuration.md shows this table. The formats of the variables have the outermost limits of the first column already. */
export const POLICY_BOUNDS: readonly PolicyBound[] = [
  {
    variable: 'OTP_LIFETIME_SECONDS',
    refused: { above: 600 },
    warned: 600,
    effect: 'a code that somebody finds later still counts',
    source: 'NIST SP 800-63B-4 §3.1.3.2',
  },
  {
    variable: 'OTP_LIFETIME_SECONDS',
    refused: { below: 30 },
    warned: 60,
    effect: 'codes end before their mails arrive',
    source: 'RFC 6238 §5.2',
  },
  {
    variable: 'OTP_MAX_ATTEMPTS',
    refused: { above: 10 },
    warned: 5,
    effect: 'one challenge allows more guesses than the rule for payments',
    source: 'PSD2 RTS art. 4(3)(b)',
  },
  {
    variable: 'SUBJECT_MAX_FAILURES',
    refused: { above: 100 },
    warned: 5,
    effect: 'a user is locked later than the rule for payments asks',
    source: 'NIST SP 800-63B-4 §3.2.2; PSD2 RTS art. 4(3)(b)',
  },
  {
    variable: 'SUBJECT_LOCK_SECONDS',
    refused: { below: 5 },
    warned: 300,
    effect: 'a program goes on guessing almost at once',
    source: 'RFC 4226 §7.3; PSD2 RTS art. 4(3)(b)',
  },
  {
    variable: 'OTP_RESEND_COOLDOWN_SECONDS',
    refused: { below: 1 },
    warned: 15,
    effect: 'a double click sends two mails, and the first code no longer counts',
    source: 'OWASP ASVS 5.0 2.4.1',
  },
  {
    variable: 'OTP_MAX_ISSUANCES',
    refused: { above: 100 },
    warned: 10,
    effect: 'one challenge can fill a mailbox',
    source: 'OWASP ASVS 5.0 2.4.1',
  },
  {
    variable: 'SUBJECT_MAX_ISSUANCES',
    refused: { above: 1000 },
    warned: 60,
    effect: 'one user can be sent more than a mail a minute',
    source: 'OWASP ASVS 5.0 2.4.1',
  },
  {
    variable: 'MAILBOX_MAX_ISSUANCES',
    refused: { above: 1000 },
    warned: 80,
    effect: 'one mailbox can be sent more than two mails a minute',
    source: 'OWASP ASVS 5.0 2.4.1',
  },
  {
    variable: 'SUBJECT_MAX_CHALLENGES',
    refused: { above: 1000 },
    warned: 100,
    effect: 'one user can fill the database',
    source: 'OWASP ASVS 5.0 2.4.1',
  },
  {
    variable: 'TRAIL_RETENTION_DAYS',
    refused: { below: 1 },
    warned: 397,
    effect: 'a payment can be disputed after its proof is gone',
    source: 'Directive (EU) 2015/2366 (PSD2) art. 71',
  },
  {
    variable: 'CHALLENGE_LIFETIME_SECONDS',
    refused: { above: 86_400 },
    warned: 3600,
    effect: 'an approval that nobody used stays good for long',
    source: 'OWASP Transaction Authorization Cheat Sheet 2.9',
  },
]

/** Refuses limits that production must not have. Development and tests may set any that their formats allow. */
export function lenientPolicy(env: Environment): readonly string[] {
  if (env.NODE_ENV !== 'production') return []
  return POLICY_BOUNDS.flatMap(({ variable, refused, effect, source }) => {
    const [word, bound] = 'below' in refused ? ['at least', refused.below] : ['at most', refused.above]
    const value = numberOf(env, variable)
    const beyond = value !== undefined && ('below' in refused ? value < bound : value > bound)
    return beyond
      ? [`${variable} must be ${word} ${bound} in production: otherwise ${effect} (${source})`]
      : []
  })
}

/** Reports limits that production may have, and that somebody should have a reason for. */
export function unusualLimits(env: Environment): readonly ConfigWarning[] {
  if (env.NODE_ENV !== 'production') return []
  return POLICY_BOUNDS.flatMap(({ variable, refused, warned, effect, source }) => {
    const value = numberOf(env, variable)
    if (value === undefined || ('below' in refused ? value >= warned : value <= warned)) return []
    const remedy = `Set ${variable} to ${'below' in refused ? 'at least' : 'at most'} ${warned}, unless you know a reason (${source})`
    return [{ variable, found: `is ${value}: ${effect}`, remedy }]
  })
}

/** The value in force. Undefined if it is no value of the variable, which is a problem of its own. */
function numberOf(env: Environment, variable: keyof typeof VARIABLES): number | undefined {
  const { data } = VARIABLES[variable].schema.safeParse(env[variable])
  return typeof data === 'number' ? data : undefined
}
