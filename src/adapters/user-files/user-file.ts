import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import type { ImportLine } from '../../application/users/import-users.ts'
import { parseUnambiguous, RepeatedMember } from '../../contracts/unambiguous-json.ts'
import { fileText } from './file-text.ts'
import { type Table, tableOf } from './table.ts'

/** A table cannot leave a field out, so an empty one counts as absent. */
const optional = z
  .string()
  .nullish()
  .transform((text) => (text === null || text === '' ? undefined : text))

const Draft = z.strictObject({
  userId: z.string(),
  email: z.string(),
  locale: optional,
  displayName: optional,
})

/**
 * Reads the users from a file: a table whose first line has the field names (RFC 4180, also with semicolons or tabs as Excel
 * writes it), or `.jsonl` with one object a line. The numbers are line numbers of the file. Reads line by line, so the file
 * may have any size.
 *
 * @throws {Error} with what to do, if no line of the file can be read. It repeats nothing of the file.
 */
export async function* userFile(path: string): AsyncGenerator<ImportLine> {
  if (/\.(?:csv|tsv|txt)$/i.test(path)) yield* tableLines(path)
  else if (/\.jsonl$/i.test(path)) yield* jsonLines(path)
  else throw new Error('The file must end in .csv, .tsv or .txt (a table), or in .jsonl')
}

async function* tableLines(path: string): AsyncGenerator<ImportLine> {
  const table = await tableOf(fileText(path))
  const records = parse({
    delimiter: table.separator,
    from_line: table.firstLine,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    // With tabs, the blanks to trim would include the separators.
    trim: table.separator !== '\t',
  })
  // An error of the file becomes one of the records. `pipe` would lose it.
  pipeline(Readable.from(fileText(path)), records, () => {})
  try {
    for await (const { record, info } of records as AsyncIterable<{
      record: readonly string[]
      info: { readonly lines: number }
    }>) {
      yield draftOf(
        table,
        info.lines,
        record.map((value) => value.trim()),
      )
    }
  } catch (error) {
    // Its message may quote the line.
    if (error instanceof CsvError) throw new Error(`line ${error.lines}: a quotation mark is out of place`)
    throw error
  }
}

function draftOf(table: Table, number: number, values: readonly string[]): ImportLine {
  table.assertSeparates(number, values)
  if (values.slice(table.columns.length).some((value) => value !== '')) {
    return { number, problem: `more values than the ${table.columns.length} columns of the first line` }
  }
  const named = table.columns.map((column, at) => [column, values[at] ?? ''] as const)
  return lineOf(number, Object.fromEntries(named.filter(([column]) => column !== '')))
}

async function* jsonLines(path: string): AsyncGenerator<ImportLine> {
  let number = 0
  for await (const text of linesIn(fileText(path))) {
    number++
    if (text.trim() === '') continue
    try {
      yield lineOf(number, parseUnambiguous(text))
    } catch (error) {
      if (error instanceof RepeatedMember) yield { number, problem: 'names a field twice' }
      else if (error instanceof SyntaxError) yield { number, problem: 'not JSON' }
      else throw error
    }
  }
}

async function* linesIn(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  yield rest
}

function lineOf(number: number, content: unknown): ImportLine {
  const draft = Draft.safeParse(content)
  if (draft.success) return { number, draft: draft.data }
  const problems = draft.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? 'has unknown fields' : `${issue.path.join('.')}: ${issue.message}`,
  )
  return { number, problem: problems.join('; ') }
}
