import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiDocument } from '../support/api-document.ts'

/**
 * The answers that the document has and that nothing in `folder` says were given, where `test/support/http-call.ts` notes those that were:
 * each with its operation, its status, and its code or content type.
 */
export async function unseenAnswers(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder)
  const notes = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const seen = new Set(notes.flatMap((note) => note.trim().split('\n')))
  return documentedAnswers().filter((answer) => !seen.has(answer))
}

function documentedAnswers(): readonly string[] {
  const api = ApiDocument.read()
  const operations = Object.values(api.document.paths).flatMap((methods) => Object.values(methods))
  return operations.flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, answer]) => {
      const { content = {} } = api.resolve(answer)
      return Object.entries(content).length === 0
        ? [`${operationId} ${status}`]
        : Object.entries(content).flatMap(([type, { examples = {} }]) =>
            Number(status) < 400
              ? [`${operationId} ${status} ${type}`]
              : codesOf(examples).map((code) => `${operationId} ${status} ${code}`),
          )
    }),
  )
}

/** Each code of an answer has an example. */
function codesOf(examples: Readonly<Record<string, { readonly value: unknown }>>): readonly string[] {
  return [...new Set(Object.values(examples).map(({ value }) => (value as { code: string }).code))]
}
