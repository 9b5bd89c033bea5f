import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parse } from 'csv-parse'
import { z } from 'zod'
import type { ImportLine } from '../../application/users/import-users.ts'

/** CSV cannot leave a field out, so an empty one counts as absent. */
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
 * Reads the users from a file: `.csv` with a header of the field names (RFC 4180, UTF-8), or `.jsonl` with one object a
 * line. The numbers are line numbers of the file. Reads line by line, so the file may have any size.
 */
export async function* userFile(path: string): AsyncGenerator<ImportLine> {
  if (path.endsWith('.csv')) yield* csvLines(path)
  else if (path.endsWith('.jsonl')) yield* jsonLines(path)
  else throw new Error('The file must end in .csv or .jsonl')
}

async function* csvLines(path: string): AsyncGenerator<ImportLine> {
  const records = createReadStream(path).pipe(
    parse({ columns: true, bom: true, info: true, skip_empty_lines: true, relax_column_count: true }),
  )
  for await (const { record, info } of records) yield lineOf(info.lines, record)
}

async function* jsonLines(path: string): AsyncGenerator<ImportLine> {
  let number = 0
  for await (const text of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number++
    if (text.trim() === '') continue
    try {
      yield lineOf(number, JSON.parse(text))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      yield { number, problem: 'not JSON' }
    }
  }
}

function lineOf(number: number, content: unknown): ImportLine {
  const draft = Draft.safeParse(content)
  if (draft.success) return { number, draft: draft.data }
  const problems = draft.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? 'has unknown fields' : `${issue.path.join('.')}: ${issue.message}`,
  )
  return { number, problem: problems.join('; ') }
}
