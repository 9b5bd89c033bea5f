import { readableOn } from '../domain/brand.ts'
import type { Environment } from './environment.ts'
import type { Keys } from './formats.ts'
import { type ClientBrand, readConfig, readValues } from './read-config.ts'
import { noFiles, readSecretFile, type SecretReader } from './secret-files.ts'
import { declarations, VARIABLES, type VariableName } from './variables.ts'

/** The effective value of a variable, safe to print. */
export interface Setting {
  readonly name: string
  /** A secret shows only its public part, or `withheld`; undefined if the variable has no value. */
  readonly value: string | undefined
  readonly source: 'default' | 'environment' | 'file'
}

/** The effective value of every variable, as {@link readConfig} reads it. @throws {ConfigError} */
export function readSettings(
  environment: Environment,
  readSecret: SecretReader = noFiles,
): readonly Setting[] {
  const { workers, brands } = readConfig(environment, readSecret)
  const { env, values } = readValues(environment, readSecret)
  const effective = { ...values, WORKERS: workers, BRANDS: values.BRANDS && brandsShown(brands) }
  return declarations.map(([name]) => ({
    name,
    value: shown(name, effective[name]),
    source: env[name] === undefined ? 'default' : environment[name] ? 'environment' : 'file',
  }))
}

/** The variables of this process. @throws {ConfigError} */
export function loadSettings(): readonly Setting[] {
  return readSettings(process.env, readSecretFile)
}

/** One brand after the other: whose it is, what readers see, and what it leaves to the others. */
function brandsShown(brands: ReadonlyMap<string, ClientBrand>): string {
  return [...brands]
    .map(([clientId, { name, color, languages, sender }]) => {
      const ink = readableOn(color) === '#000' ? 'black' : 'white'
      return `${clientId}: ${name} (${ink} on ${color}), from ${sender.from}, ${languages?.join(' ') ?? 'all languages'}`
    })
    .join('; ')
}

function shown(name: VariableName, value: unknown): string | undefined {
  if (value === undefined) return undefined
  // The ids of keys are not secret: tokens and the database have them. The first key is active.
  if (Array.isArray(value) && 'secret' in VARIABLES[name])
    return `withheld, by kid: ${(value as unknown as Keys).map(({ id }) => id).join(', ')}`
  if (value instanceof Map) return `withheld, by client: ${[...value.keys()].join(', ')}`
  if (value instanceof Date) return value.toISOString()
  return 'secret' in VARIABLES[name] ? 'withheld' : String(value)
}
