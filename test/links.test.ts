import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const PROJECT = new URL('../', import.meta.url)
const PAGES = ['*.md', 'docs/**/*.md', 'packages/*/*.md', 'examples/*/*.md', 'proofs/**/*.md']

const pages = globSync(PAGES, { cwd: fileURLToPath(PROJECT), exclude: ['**/node_modules/**'] }).map((path) =>
  path.replaceAll('\\', '/'),
)

test('every link between the pages and files of this repository leads somewhere', (t) => {
  t.true(pages.length > 20)
  t.deepEqual(pages.flatMap(deadLinksOf), [])
})

function deadLinksOf(page: string): readonly string[] {
  const address = new URL(page, PROJECT)
  const prose = readFileSync(address, 'utf8')
    .replaceAll(/^ *(`{3,}).*?^ *\1[^\n]*$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !leadsSomewhere(new URL(target, address)))
    .map((target) => `${page}: ${target}`)
}

function leadsSomewhere(target: URL): boolean {
  const anchor = target.hash.slice(1)
  const file = new URL(target.pathname, target)
  if (!existsSync(file)) return false
  if (!anchor || !file.pathname.endsWith('.md')) return true
  return anchorsOf(readFileSync(file, 'utf8')).includes(anchor)
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}
