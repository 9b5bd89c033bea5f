/*
 * Reads the text of a migration, and finds the statements that would disturb a running service (decision 16): those that
 * lock an existing table while they read or write it, and those that the version before does not support.
 */

interface Rule {
  readonly pattern: RegExp
  readonly problem: string
  /** A contracting migration may do this once no running version needs the old form. It must say so: `-- contract: <why>`. */
  readonly contracts?: true
}

/** In place of the body of a block that commits its steps. */
const COMMITS = "'COMMIT'"

/** Rules for statements other than ALTER TABLE. A pattern captures the table in `table`, where that matters. */
const STATEMENTS: readonly Rule[] = [
  {
    pattern: /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b).*? ON (?:ONLY )?(?<table>\S+?)(?: |\()/,
    problem: 'CREATE INDEX blocks every write: use CONCURRENTLY, alone in its migration',
  },
  { pattern: /^REINDEX (?!.*CONCURRENTLY)/, problem: 'REINDEX blocks every write: use CONCURRENTLY' },
  {
    pattern: /^(?:UPDATE|DELETE FROM) (?:ONLY )?(?<table>\S+)/,
    problem: 'it writes a whole table in one transaction: let a job do it in batches',
  },
  { pattern: /^(?:TRUNCATE|LOCK|CLUSTER|VACUUM)\b/, problem: 'it locks a whole table' },
  {
    pattern: new RegExp(`^DO (?!.*${COMMITS})`),
    problem: 'it keeps its locks to the end: commit after each step',
  },
  {
    pattern: /^DROP TABLE (?:IF EXISTS )?(?<table>\S+)/,
    problem: 'the version before still reads it',
    contracts: true,
  },
  {
    pattern: /^CREATE TRIGGER .*? ON (?<table>\S+)/,
    problem: 'the trigger also runs for the version before: say why that is safe',
    contracts: true,
  },
]

/** Rules for the actions of ALTER TABLE. */
const ACTIONS: readonly Rule[] = [
  {
    pattern: /^ADD (?:CONSTRAINT \S+ )?(?:CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID$)/,
    problem:
      'it reads the whole table under its lock: use NOT VALID, and VALIDATE CONSTRAINT in the next migration',
  },
  {
    pattern: /^ADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)/,
    problem: 'it builds an index under its lock: first CREATE UNIQUE INDEX CONCURRENTLY, then USING INDEX',
  },
  {
    pattern: /^ALTER (?:COLUMN )?\S+ (?:SET DATA )?TYPE\b/,
    problem: 'it rewrites the whole table: add a new column instead',
  },
  {
    pattern: /^ALTER (?:COLUMN )?\S+ SET NOT NULL/,
    problem: 'it reads the whole table under its lock: first add a CHECK that is NOT VALID',
  },
  {
    pattern: /^ADD (?:COLUMN |(?!CONSTRAINT\b|CHECK\b)).* NOT NULL\b(?!.*\bDEFAULT\b)/,
    problem: 'existing rows have no value, and rows of the version before will have none',
  },
  {
    pattern:
      /^ADD (?:COLUMN )?.*(?:\b(?:BIG|SMALL)?SERIAL\b|\bGENERATED\b|\bDEFAULT\b.*\b(?:random|clock_timestamp|gen_random_uuid|nextval|uuidv7)\()/i,
    problem: 'it rewrites the whole table to give each row a value',
  },
  {
    pattern: /^DROP (?:COLUMN )?(?!CONSTRAINT\b)/,
    problem: 'the version before still reads it',
    contracts: true,
  },
  { pattern: /^RENAME\b/, problem: 'the version before uses the old name', contracts: true },
  { pattern: /^SET (?:LOGGED|UNLOGGED|TABLESPACE)\b/, problem: 'it rewrites the whole table' },
]

/** The statements of a migration that disturb a running service, each with the reason. */
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
        ? [`${text.slice(0, 60)}: use a migration of its own, or the lock of ADD CONSTRAINT lasts as long`]
        : partsOf(table[2]!).flatMap((action) => found(ACTIONS, action))
    }
    const isAlone = /^CREATE .*INDEX CONCURRENTLY\b|^(?:DO|CALL)\b/
    return isAlone.test(text) && statements.length > 1
      ? [`${text.slice(0, 60)}: must be alone in its migration, which is a transaction otherwise`]
      : found(STATEMENTS, text)
  })
}

const CONTRACT = '/* contract */'

/** Splits a migration into statements of one line each, without comments and dollar-quoted bodies. */
function statementsOf(sql: string): { text: string; contract: boolean }[] {
  return sql
    .replaceAll(/\$(\w*)\$.*?\$\1\$/gs, (body) => (/\bCOMMIT;/.test(body) ? COMMITS : "''"))
    .replaceAll(/^-- contract: \S.*$/gm, CONTRACT)
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => ({
      text: statement.replaceAll(CONTRACT, '').replaceAll(/\s+/g, ' ').replaceAll('"', '').trim(),
      contract: statement.includes(CONTRACT),
    }))
    .filter(({ text }) => text !== '')
}

/** Splits at the commas outside parentheses. */
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
