import { readFile } from 'node:fs/promises'

const FOLDER = new URL('../../deploy/', import.meta.url)

/** A file of deploy/ with the addresses of a run. @throws {Error} if a pattern matches nothing in the file. */
export async function configuration(
  path: string,
  ...changes: readonly (readonly [RegExp, string])[]
): Promise<string> {
  let text = await readFile(new URL(path, FOLDER), 'utf8')
  for (const [pattern, replacement] of changes) {
    if (!pattern.test(text)) throw new Error(`${path} has nothing like ${pattern}`)
    text = text.replace(pattern, replacement)
  }
  return text
}
