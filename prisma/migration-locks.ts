/*
 * Finds what in a migration would hold up a service that runs meanwhile, by its text: statements that keep a lock on a table that
 * was there before for as long as they read or write it, or that the version before could not live with (decision 16).
 */

interface Rule {
  readonly pattern: RegExp
  readonly problem: string
  /** What a contracting migration may do, once no running version needs it any more, if it says so: `-- contract: <why>`. */
  readonly contracts?: true
}

/** Of statements other than ALTER TABLE. Each finds the table in `table`, where that matters. */
const STATEMENTS: readonly Rule[] = [
  {
    pattern: /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b).*? ON (?:ONLY )?(?<table>\S+?)(?: |\()/,
    problem: 'CREATE INDEX holds up every write: CONCURRENTLY, alone in its migration',
  },
  { pattern: /^REINDEX (?!.*CONCURRENTLY)/, problem: 'REINDEX holds up every write: CONCURRENTLY' },
  {
    pattern: /^(?:UPDATE|DELETE FROM) (?:ONLY )?(?<table>\S+)/,
    problem: 'it writes a whole table in one transaction: in batches, by a job',
  },
  { pattern: /^(?:TRUNCATE|LOCK|CLUSTER|VACUUM)\b/, problem: 'it locks a whole table' },
  {
    pattern: /^DROP TABLE (?:IF EXISTS )?(?<table>\S+)/,
    problem: 'the version before still reads it',
    contracts: true,
  },
  {
    pattern: /^CREATE TRIGGER .*? ON (?<table>\S+)/,
    problem: 'the version before runs under it too: say why it may',
    contracts: true,
  },
]

/** Of the actions of ALTER TABLE. */
const ACTIONS: readonly Rule[] = [
  {
    pattern: /^ADD (?:CONSTRAINT \S+ )?(?:CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID$)/,
    problem:
      'it reads the whole table under its lock: NOT VALID, and VALIDATE CONSTRAINT in the next migration',
  },
  {
    pattern: /^ADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)/,
    problem: 'it builds an index under its lock: CREATE UNIQUE INDEX CONCURRENTLY first, then USING INDEX',
  },
  {
    pattern: /^ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b/,
    problem: 'it writes the whole table anew: a new column instead',
  },
  {
    pattern: /^ALTER (?:COLUMN )?\S+ SET NOT NULL/,
    problem: 'it reads the whole table under its lock: a CHECK that is NOT VALID first',
  },
  {
    pattern: /^ADD (?:COLUMN |(?!CONSTRAINT\b|CHECK\b)).* NOT NULL\b(?!.*\bDEFAULT\b)/,
    problem: 'the rows that are there have no value, nor do those of the version before',
  },
  {
    pattern:
      /^ADD (?:COLUMN )?.*(?:\b(?:BIG|SMALL)?SERIAL\b|\bGENERATED\b|\bDEFAULT\b.*\b(?:random|clock_timestamp|gen_random_uuid|nextval|uuidv7)\()/i,
    problem: 'it writes the whole table anew, a value for each row',
  },
  {
    pattern: /^DROP (?:COLUMN )?(?!CONSTRAINT\b)/,
    problem: 'the version before still reads it',
    contracts: true,
  },
  { pattern: /^RENAME\b/, problem: 'the version before knows it by its old name', contracts: true },
  { pattern: /^SET (?:LOGGED|UNLOGGED|TABLESPACE)\b/, problem: 'it writes the whole table anew' },
]

/** The statements of a migration that hold up a running service, each with why. */
export function lockProblems(sql: string): string[] {
  const statements = statementsOf(sql)
  const created = new Set(statements.flatMap(({ text }) => /^CREATE TABLE (\S+)/.exec(text)?.[1] ?? []))
  const added = new Set(
    statements.flatMap(({ text }) => [...text.matchAll(/ADD CONSTRAINT (\S+)/g)].map(([, name]) => name)),
  )
  return statements.flatMap(({ text, contract }) => {
    const found = (rules: readonly Rule[], part: string) =>
      rules
        .filter(({ pattern, contracts }) => {
          const match = pattern.exec(part)
          return match && !created.has(match.groups?.table ?? '') && !(contracts && contract)
        })
        .map(({ problem }) => `${part.slice(0, 60)}: ${problem}`)

    const table = /^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+) (.*)$/.exec(text)
    if (table) {
      if (created.has(table[1]!)) return []
      const validated = /^VALIDATE CONSTRAINT (\S+)/.exec(table[2]!)?.[1]
      return validated !== undefined && added.has(validated)
        ? [
            `${text.slice(0, 60)}: in a migration of its own, or the lock of the one that added it lasts as long`,
          ]
        : partsOf(table[2]!).flatMap((action) => found(ACTIONS, action))
    }
    return /^CREATE .*INDEX CONCURRENTLY\b/.test(text) && statements.length > 1
      ? [`${text.slice(0, 60)}: alone in its migration, which is a transaction otherwise`]
      : found(STATEMENTS, text)
  })
}

const CONTRACT = '/* contract */'

/** Without comments and without what stands in quotes of dollars, on one line each. */
function statementsOf(sql: string): { text: string; contract: boolean }[] {
  return sql
    .replaceAll(/\$(\w*)\$.*?\$\1\$/gs, "''")
    .replaceAll(/^-- contract: \S.*$/gm, CONTRACT)
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => ({
      text: statement.replaceAll(CONTRACT, '').replaceAll(/\s+/g, ' ').replaceAll('"', '').trim(),
      contract: statement.includes(CONTRACT),
    }))
    .filter(({ text }) => text !== '')
}

/** What commas separate that stand in no parentheses. */
function partsOf(actions: string): string[] {
  let depth = 0
  const parts = ['']
  for (const character of actions) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}
