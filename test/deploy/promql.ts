import { readFileSync } from 'node:fs'

/* As much of PromQL as can be asked of a query without a Prometheus: which series and labels it names. promtool knows the rest. */

interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[]
}

interface Mentions {
  readonly selectors: readonly Selector[]
  /** Labels of `by (…)`, `on (…)` and their like. */
  readonly groupings: readonly string[]
}

const KEYWORDS = new Set(['and', 'or', 'unless', 'by', 'without', 'on', 'ignoring', 'bool', 'offset'])
const SELECTOR = /([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?/g

export function mentionsOf(query: string): Mentions {
  const groupings: string[] = []
  const ungrouped = query
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, labels: string) => {
      groupings.push(...labels.split(',').map((label) => label.trim()))
      return ''
    })
  const selectors: Selector[] = []
  for (const { 0: text, 1: name, 2: matchers, index } of ungrouped.matchAll(SELECTOR)) {
    const isFunction = matchers === undefined && /^\s*\(/.test(ungrouped.slice(index + text.length))
    if (isFunction || KEYWORDS.has(name!)) continue
    selectors.push({ metric: name!, matchers: matchersOf(matchers ?? '') })
  }
  return { selectors, groupings }
}

function matchersOf(text: string): Selector['matchers'] {
  return [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label, operator, value]) => ({
    label: label!,
    operator: operator!,
    value: value!,
  }))
}

/** The labels of each series of docs/metrics.md, which another test holds against the service, with those that Prometheus adds. */
export function documentedSeries(): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
    /^\| `(\w+)` \| (\w+) \| (.+?) \| .+ \|$/gm,
  )
  const series = new Map<string, ReadonlySet<string>>([['up', new Set(['job', 'instance'])]])
  for (const [, name, type, labels] of rows) {
    const all = ['job', 'instance', ...(labels!.match(/\w+/g) ?? [])]
    if (type !== 'histogram') series.set(name!, new Set(all))
    else {
      series.set(`${name}_bucket`, new Set([...all, 'le']))
      for (const suffix of ['sum', 'count']) series.set(`${name}_${suffix}`, new Set(all))
    }
  }
  return series
}

/** What is wrong with the names of a query: series that nobody tells, labels that they do not have, and values that no code gives. */
export function misnomersOf(
  query: string,
  series: ReadonlyMap<string, ReadonlySet<string>>,
  source: string,
): string[] {
  const { selectors, groupings } = mentionsOf(query)
  const labels = new Set(selectors.flatMap(({ metric }) => [...(series.get(metric) ?? [])]))
  return [
    ...selectors.flatMap(({ metric, matchers }) => {
      const known = series.get(metric)
      if (!known) return [`series ${metric}`]
      return matchers.flatMap(({ label, value }) =>
        known.has(label) ? unknownValues(label, value, source) : [`label ${label} of ${metric}`],
      )
    }),
    ...groupings.filter((label) => !labels.has(label)).map((label) => `label ${label}`),
  ]
}

/** Labels whose values are not words of the code. */
const OPEN = new Set(['job', 'instance', 'status', 'alertname', 'alertstate'])

function unknownValues(label: string, value: string, source: string): string[] {
  if (OPEN.has(label)) return []
  return value
    .split('|')
    .filter((word) => /^[\w/-]+$/.test(word) && !source.includes(`'${word}'`))
    .map((word) => `value ${word} of ${label}`)
}
