import { distance } from 'fastest-levenshtein'
import type { ConfigWarning } from './config-warning.ts'
import type { Environment } from './environment.ts'
import { declarations, FROM_FILES, type Variable } from './variables.ts'

const FILES = FROM_FILES.map((name) => `${name}_FILE`)
const KNOWN: readonly string[] = [...declarations.map(([name]) => name), ...FILES]

/** First words of our names that other programs use as well, as in USER_AGENT, LOG_DIR or OTEL_RESOURCE_ATTRIBUTES. */
const COMMON_WORDS = ['APP', 'DATA', 'LOG', 'NODE', 'OTEL', 'USER']
const OWN_WORDS = new Set(
  KNOWN.filter((name) => name.includes('_'))
    .map((name) => name.split('_')[0]!)
    .filter((word) => !COMMON_WORDS.includes(word)),
)

/** Kubernetes sets these for each Service of the namespace, as in SMTP_SERVICE_HOST and SMTP_PORT_25_TCP_ADDR. */
const SERVICE_LINK = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?$/

/** Reports variables of the environment that look like ours, and that nothing reads. */
export function unknownVariables(environment: Environment): readonly ConfigWarning[] {
  return Object.keys(environment)
    .filter((name) => environment[name] && !KNOWN.includes(name) && !isServiceLink(name, environment))
    .flatMap((name) => {
      const meant = nearest(name)
      if (!meant && !hasOwnWord(name)) return []
      return [{ variable: name, found: 'is a variable that nothing uses', remedy: remedyFor(name, meant) }]
    })
}

/** Reports variables that the other settings leave without an effect. A variable at its default, as in .env.example, is not worth a word. */
export function idleVariables(env: Environment): readonly ConfigWarning[] {
  return declarations.flatMap(([name, variable]) => {
    const { usedIf } = variable
    if (!usedIf || !env[name] || usedIf.holds(env) || env[name] === defaultOf(variable)) return []
    const condition = usedIf.words.replaceAll('`', '')
    return [
      {
        variable: name,
        found: `has no effect: it counts only ${condition}`,
        remedy: `Unset ${name}, or correct the variable that turns it off`,
      },
    ]
  })
}

function remedyFor(name: string, meant: string | undefined): string {
  const ofFile = name.endsWith('_FILE') && KNOWN.includes(name.slice(0, -'_FILE'.length))
  if (ofFile)
    return `Set ${name.slice(0, -'_FILE'.length)} itself: docs/configuration.md marks what may come from a file`
  return meant
    ? `Set ${meant}, if that is what you mean; or unset ${name}`
    : `Unset ${name}, or look its name up in docs/configuration.md`
}

function hasOwnWord(name: string): boolean {
  const [word, ...others] = name.split('_')
  return others.length > 0 && OWN_WORDS.has(word!)
}

/** The name that was probably meant: another spelling of it, or one with a wrong letter, or two of a long name. */
function nearest(name: string): string | undefined {
  const upper = name.toUpperCase()
  const [best] = KNOWN.map((known) => ({
    known,
    wrong: isSwapped(upper, known) ? 0 : distance(upper, known),
  })).toSorted((one, other) => one.wrong - other.wrong)
  // One wrong letter makes another word of a short name: HOST is not COST, and PORT is not SORT.
  const most = best!.known.length <= 5 ? 0 : best!.known.length <= 8 ? 1 : 2
  return best!.wrong <= most ? best!.known : undefined
}

/** Whether the two differ in nothing but the order of two letters side by side. */
function isSwapped(name: string, known: string): boolean {
  const at = [...known].findIndex((letter, index) => letter !== name[index])
  if (at === -1) return false
  const swapped = `${known.slice(0, at)}${known[at + 1] ?? ''}${known[at]}${known.slice(at + 2)}`
  return swapped === name
}

function isServiceLink(name: string, environment: Environment): boolean {
  if (SERVICE_LINK.test(name)) return true
  return name.endsWith('_PORT') && environment[`${name.slice(0, -'_PORT'.length)}_SERVICE_HOST`] !== undefined
}

function defaultOf({ schema }: Variable): string {
  return String(schema.safeParse(undefined).data ?? '')
}
