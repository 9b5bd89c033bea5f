import { query } from './database.ts'

/*
 * A database of several servers finds a row by its bucket. The plan of a statement says by which conditions PostgreSQL finds the rows of
 * each table. A function has no plan before it runs, so its text is read.
 */

/** The tables whose rows belong to a subject. */
export const SUBJECT_TABLES = [
  ...['challenge_events', 'challenge_expiries', 'challenge_strangers', 'challenges', 'lock_notices'],
  ...['otp_issuances', 'security_notices', 'service_events', 'subject_standings', 'trail_heads', 'users'],
]

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Alias?: string
  readonly Plans?: readonly PlanNode[]
}

/**
 * The tables that the plan scans without a bucket, each with its alias. A condition binds the bucket of a table if it compares it with a
 * value, or with the bucket of what is bound.
 */
export async function lookUpsWithoutBucket(
  url: string,
  { text }: { readonly text: string },
): Promise<string[]> {
  const rows = await query(url, `EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) ${text}`)
  const [{ Plan: plan }] = (rows[0] as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN']
  const nodes = nodesOf(plan)
  const conditions = nodes.flatMap((node) =>
    Object.entries(node).flatMap(([key, value]) => (/Cond$|Filter$/.test(key) ? [String(value)] : [])),
  )
  const equations = conditions
    .flatMap((condition) => [...condition.matchAll(/([\w.$':]+) = \(?([\w.$':]+)/g)])
    .map(([, left = '', right = '']) => [left, right])
  const unbound = new Map(
    nodes.flatMap(({ 'Node Type': type, 'Relation Name': table = '', Alias: alias = '' }) =>
      / Scan$/.test(type) && SUBJECT_TABLES.includes(table) ? [[`${alias}.bucket`, `${table} ${alias}`]] : [],
    ),
  )
  const isBound = (side: string) =>
    !unbound.has(side) && (!/^\w+\.\w+$/.test(side) || side.endsWith('.bucket'))
  let left = Number.POSITIVE_INFINITY
  while (unbound.size < left) {
    left = unbound.size
    for (const [one = '', other = ''] of equations) {
      if (isBound(other)) unbound.delete(one)
      if (isBound(one)) unbound.delete(other)
    }
  }
  return [...unbound.values()].toSorted()
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** What may follow a table without being its alias. */
const NO_ALIAS =
  /^(?:where|set|on|order|group|join|left|right|inner|cross|limit|for|using|values|select|returning|loop|union|default)$/i

/**
 * The tables that the body of a function reads or writes without a bucket, in order. Each statement has to compare the bucket of each
 * table in it, or to list it among the columns that it inserts.
 */
export function placesWithoutBucket(body: string): string[] {
  const statements = body
    .replaceAll(/--[^\n]*|\/\*.*?\*\//gs, '')
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll('"', '')
    .split(';')
  return statements.flatMap((statement) => {
    const named = new RegExp(
      `(?:\\b(from|join|update|into|using)\\s+(?:only\\s+)?|,\\s*)(?:public\\.)?(${SUBJECT_TABLES.join('|')})\\b(?!\\.)` +
        '(?:\\s+(?:as\\s+)?(\\w+))?(\\s*\\([^)]*\\))?',
      'gi',
    )
    const comparisons = [...statement.matchAll(/(?<![\w.])(?:(\w+)\.)?bucket\s*(?:=|\bin\b)/gi)].concat([
      ...statement.matchAll(/=\s*(?:(\w+)\.)?bucket\b/gi),
    ])
    // A comparison without an alias is about one table.
    let spare = comparisons.filter(([, of]) => of === undefined).length
    return [...statement.matchAll(named)].flatMap(([, verb = '', table = '', after = '', columns = '']) => {
      if (/into/i.test(verb)) return /\bbucket\b/.test(columns) ? [] : [table]
      const alias = after && !NO_ALIAS.test(after) ? after : table
      if (comparisons.some(([, of]) => of === alias)) return []
      if (alias === table && spare-- > 0) return []
      return [table]
    })
  })
}
