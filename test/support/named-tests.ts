import { existsSync, readFileSync } from 'node:fs'

const PROJECT = new URL('../../', import.meta.url)

/** A cell names several things, with this in between. */
const BETWEEN = ' · '

/** The rows of all tables of a page whose first cell matches, by their cells. A cell may have a bar, written as `\|`. */
export function rowsOf(page: string, first: RegExp): readonly (readonly string[])[] {
  return [...page.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row]) => row!.split(/(?<!\\) \| /))
    .filter(([id]) => first.test(id!))
}

/** What a cell names. */
export function evidenceIn(cell: string): readonly string[] {
  return cell.split(BETWEEN)
}

/** Whether the text is the file and the title of a test: `test/x.test.ts`: a title. */
export function isNamedTest(evidence: string): boolean {
  return /^`(?:test|proofs)\/[^`]+`: .+$/.test(evidence)
}

/** The reason why a named test is not there; undefined if it is. */
export function problemWith(evidence: string): string | undefined {
  const [, path = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(evidence) ?? []
  const file = new URL(path, PROJECT)
  if (!existsSync(file)) return `${path} does not exist`
  const written = title.replaceAll('\\|', '|')
  const source = readFileSync(file, 'utf8')
  // A title stands in quotes, in which its own are escaped.
  const isThere = [written, written.replaceAll("'", "\\'")].some((text) => source.includes(text))
  return isThere ? undefined : `${path} has no test with the title: ${written}`
}
