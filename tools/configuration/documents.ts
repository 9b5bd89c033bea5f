import { readFileSync } from 'node:fs'
import { POLICY_BOUNDS } from '../../src/config/policy-bounds.ts'
import { declarations, FROM_FILES, type Variable } from '../../src/config/variables.ts'

/*
 * What `npm run config:docs` writes: the tables of docs/configuration.md and .env.example, from the declarations of
 * src/config/variables.ts and src/config/policy-bounds.ts.
 */

export const PAGE = new URL('../../docs/configuration.md', import.meta.url)
export const ENV_EXAMPLE = new URL('../../.env.example', import.meta.url)

const COLUMNS = 100

/** The page with the tables of today. The prose around the tables is written by hand. */
export function configurationPage(): string {
  return [variablesTable(), boundsTable()].reduce(
    (page, table) => withTable(page, table),
    readFileSync(PAGE, 'utf8'),
  )
}

/** Replaces the table with the same head. */
function withTable(page: string, table: readonly string[]): string {
  const start = page.indexOf(`${table[0]}\n`)
  if (start === -1) throw new Error(`The page has no table with the head ${table[0]}`)
  const rest = page.slice(start)
  return `${page.slice(0, start)}${table.join('\n')}\n${rest.replace(/^(?:\|.*\n)+/, '')}`
}

function variablesTable(): readonly string[] {
  const rows = declarations.map(([name, variable]) => {
    const { meaning, secret, inFile } = variable
    const value = defaultOf(variable)
    const cells = [
      `\`${name}\`${secret || inFile ? ' †' : ''}`,
      meaning,
      value === '' ? '–' : `\`${value}\``,
      requirementOf(variable) ?? '–',
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| variable | meaning | default | required |', '|---|---|---|---|', ...rows]
}

function boundsTable(): readonly string[] {
  const rows = POLICY_BOUNDS.map(({ variable, refused, warned, effect, source }) => {
    const [word, bound] = 'below' in refused ? ['below', refused.below] : ['above', refused.above]
    const warning = warned === bound ? '–' : `${word} ${warned}`
    return `| \`${variable}\` | ${word} ${bound} | ${warning} | ${effect} | ${source} |`
  })
  return ['| limit | refused | warned | otherwise | source |', '|---|---|---|---|---|', ...rows]
}

/** Every variable with its meaning above it, set to what development has without it. */
export function envExample(): string {
  const introduction = [
    'Every variable of Countersign, set to its default in development. Development needs none of them.',
    'Production names those that are missing. docs/configuration.md has the same as a table, and',
    '`countersign config check` says what is wrong or what is in force. `npm run config:docs` writes this file.',
    '',
    `These may come from files, named by the variable with _FILE at its end: ${FROM_FILES.join(', ')}.`,
  ]
  const entries = declarations.map(([name, variable]) => {
    const requirement = requirementOf(variable)
    const text = `${variable.meaning}${requirement ? ` Required ${requirement}.` : ''}`
    const value = defaultOf(variable)
    return `${comment(text.replaceAll('`', ''))}\n${name}=${/[\s<>]/.test(value) ? `"${value}"` : value}\n`
  })
  return `${introduction.map(comment).join('\n')}\n\n${entries.join('\n')}`
}

function requirementOf({ required }: Variable): string | undefined {
  return required?.map(({ words }) => words).join(', and ')
}

function defaultOf({ schema }: Variable): string {
  return String(schema.safeParse(undefined).data ?? '')
}

function comment(text: string): string {
  const lines = ['#']
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)} ${word}`.trimEnd()
    if (line.length > COLUMNS) lines.push(`# ${word}`)
    else lines[lines.length - 1] = line
  }
  return lines.join('\n')
}
