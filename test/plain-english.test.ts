import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

/*
 * Holds what strangers read to the rules for language in CONTRIBUTING.md, as far as a program can: words that made sentences hard to
 * read stay out, and prose is wrapped. Decisions are left as they were written.
 */

const PROJECT = fileURLToPath(new URL('../', import.meta.url))
const PAGES = ['*.md', 'docs/*.md', 'packages/*/*.md', 'examples/*/*.md', 'proofs/**/*.md']
const MAX_COLUMNS = 100

/** Written by a program, or a list of test titles, which are facts in the words of their tests. */
const NOT_PROSE = ['docs/licences.md', 'docs/security-tests.md']

const UNWANTED = [
  /\bwhoever\b/i,
  /\bwhom(?:ever)?\b/i,
  /\bto be had\b/i,
  /\bof which\b/i,
  /\btold\b/i,
  /\bbears?\b/i,
  /\bfares?\b/i,
  /\bthere (?:is|are) none\b/i,
  /\bbe it\b/i,
  /\blest\b/i,
  /\b(?:thereof|wherein|thereby)\b/i,
  // At the start of a sentence.
  /\bOf\b/,
]

const pages = globSync(PAGES, { cwd: PROJECT, exclude: ['**/node_modules/**'] })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => !NOT_PROSE.includes(path))
  .toSorted()

test('the pages that strangers read first are among those that are checked', (t) => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/integration.md']) {
    t.true(pages.includes(page), page)
  }
})

for (const page of pages) {
  const markdown = readFileSync(new URL(`../${page}`, import.meta.url), 'utf8')

  test(`${page} is in plain English`, (t) => {
    t.deepEqual(unwantedIn(markdown), [])
  })

  test(`${page} has no prose beyond column ${MAX_COLUMNS}`, (t) => {
    t.deepEqual(tooWideIn(markdown), [])
  })
}

test('an unwanted word is found in prose, in a table and across a line break', (t) => {
  t.deepEqual(unwantedIn('Ask whoever knows.\n'), ['whoever'])
  t.deepEqual(unwantedIn('| who | what |\n|---|---|\n| a client | is told |\n'), ['told'])
  t.deepEqual(unwantedIn('Two keys, one of\nwhich is new. Of these\nuse the first.\n'), ['of which', 'Of'])
})

test('code, and the address of a link, may hold any word', (t) => {
  t.deepEqual(
    unwantedIn('Write `whom`.\n\n```sh\necho told\n```\n\n- as in\n\n  ```sh\n  echo told\n  ```\n'),
    [],
  )
  t.deepEqual(unwantedIn('[The letter](docs/told.md) and <https://fares.example/>\n'), [])
})

test('a line of prose may have 100 columns, a table, code and a lone link any number', (t) => {
  const words = (length: number) => 'a '.repeat(length / 2).replace(/ $/, '.')

  t.deepEqual(tooWideIn(words(100)), [])
  t.deepEqual(tooWideIn(`x${words(100)}`), [`x${words(100)}`])
  t.deepEqual(tooWideIn(`| ${words(200)} |\n\n\`\`\`sh\n${words(200)}\n\`\`\`\n`), [])
  t.deepEqual(tooWideIn(`- [${words(100)}](docs/a.md)\n![${words(100)}](docs/pictures/a.png)\n`), [])
})

function unwantedIn(markdown: string): readonly string[] {
  const prose = withoutCodeBlocks(markdown)
    .replaceAll(/(`+)(?!`).+?(?<!`)\1(?!`)/gs, ' ')
    .replaceAll(/\]\([^)]*\)|<https?:[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
  return UNWANTED.flatMap((word) => prose.match(word)?.[0] ?? [])
}

function tooWideIn(markdown: string): readonly string[] {
  return (
    withoutCodeBlocks(markdown)
      .split('\n')
      .filter((line) => [...line].length > MAX_COLUMNS)
      .filter((line) => !/^\s*\|/.test(line))
      // A single word, such as an address, cannot be wrapped.
      .filter((line) => /\S\s+\S/.test(line.replace(/^\s*(?:[-*] |\d+\. )/, '')))
      .filter((line) => !/^\s*(?:[-*] |\d+\. )?\[?!?\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?[.,;:]?$/.test(line))
  )
}

function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(/^ *(`{3,}|~{3,}).*?^ *\1[^\n]*$/gms, '')
}
