import { parse, stringify } from 'yaml'

interface Rule {
  readonly alert?: string
  readonly expr: string
  readonly for?: string
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}

interface Haste {
  readonly factor: number
  /** The shortest window: a rate needs several scrapes. */
  readonly shortestWindowInSeconds: number
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** The same rules in less time: each window and each `for` is shorter by the factor. Thresholds stay. */
export function shortened(rules: string, { factor, shortestWindowInSeconds }: Haste): string {
  const { groups } = parse(rules) as RuleFile
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replaceAll(/\[(\w+)\]/g, (_, window: string) => {
          return `[${Math.max(shortestWindowInSeconds, Math.round(inSeconds(window) / factor))}s]`
        }),
        ...(rule.for && { for: `${Math.ceil(inSeconds(rule.for) / factor)}s` }),
      })),
    })),
  })
}

/** The names of the alerts in the rules. */
export function alertsOf(rules: string): string[] {
  const { groups } = parse(rules) as RuleFile
  return groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []))
}

function inSeconds(duration: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(duration) ?? []
  if (!number || !unit) throw new Error(`not a duration of one unit: ${duration}`)
  return Number(number) * SECONDS[unit]!
}
