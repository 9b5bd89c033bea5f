import { unsignedBrands } from './brand-rules.ts'
import type { ConfigWarning } from './config-warning.ts'
import type { Environment } from './environment.ts'
import { secureUrl } from './formats.ts'
import { unusualLimits } from './policy-bounds.ts'
import { noFiles, readSecretFile, type SecretReader, withSecrets } from './secret-files.ts'
import { idleVariables, unknownVariables } from './unused-variables.ts'
import { VARIABLES } from './variables.ts'

/** What an operator should look at, although the configuration can be used. */
export function readWarnings(
  environment: Environment,
  readSecret: SecretReader = noFiles,
): readonly ConfigWarning[] {
  const { env } = withSecrets(environment, readSecret)
  return [
    ...unknownVariables(environment),
    ...idleVariables(env),
    ...unusualLimits(env),
    ...unsignedBrands(env),
    ...openDoors(env),
  ]
}

/** The warnings about the variables of this process. */
export function loadWarnings(): readonly ConfigWarning[] {
  return readWarnings(process.env, readSecretFile)
}

/** What production leaves open, because an operator said so, or because it carries no secret. */
function openDoors(env: Environment): readonly ConfigWarning[] {
  if (env.NODE_ENV !== 'production') return []
  const warnings: ConfigWarning[] = []
  if (env.DATABASE_TLS === 'unverified' && VARIABLES.DATABASE_TLS.usedIf.holds(env)) {
    warnings.push({
      variable: 'DATABASE_TLS',
      found: 'is unverified: another machine on the way to the database can read and change what it says',
      remedy: 'Add sslmode=verify-full to DATABASE_URL and unset DATABASE_TLS',
    })
  }
  if (env.UNSEALED_UNTIL) {
    warnings.push({
      variable: 'UNSEALED_UNTIL',
      found: 'is set: until then a row counts that somebody wrote into the database by hand',
      remedy:
        'Unset UNSEALED_UNTIL once the longest lifetime of a challenge has passed since that instant (docs/operations.md)',
    })
  }
  const collector = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (collector && !secureUrl.safeParse(collector).success) {
    warnings.push({
      variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      found: 'leads to another machine in plain text: traces have the ids of challenges',
      remedy: 'Use an https:// URL, or a collector on this machine',
    })
  }
  return warnings
}
