import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import ts from 'typescript'

/*
 * Checks the rules for language in CONTRIBUTING.md, as far as a program can: no words that made sentences hard to read, in pages
 * and in the comments and texts of code, and wrapped prose in pages. Decisions stay as they were written.
 */

const PROJECT = fileURLToPath(new URL('../', import.meta.url))
const PAGES = ['*.md', 'docs/*.md', 'packages/*/*.md', 'examples/*/*.md', 'proofs/**/*.md']
const CODE = [
  'src/**/*.ts',
  'packages/**/*.ts',
  'examples/**/*.ts',
  'tools/**/*.ts',
  'prisma/**/*.ts',
  'proofs/**/*.ts',
  'test/{doubles,support}/*.ts',
]
const MAX_COLUMNS = 100

/** Written by a program, or a list of test titles, which are facts in the words of their tests. */
const NOT_PROSE = ['docs/claims.md', 'docs/compliance.md', 'docs/licences.md', 'docs/security-tests.md']

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

const sources = Map.groupBy(
  globSync(CODE, { cwd: PROJECT, exclude: ['**/node_modules/**', '**/dist/**', '**/generated/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted(),
  folderOf,
)

test('code that strangers read is among what is checked', (t) => {
  for (const folder of ['src/domain', 'src/adapters/http-koa', 'packages/kit']) {
    t.true(sources.has(folder), folder)
  }
})

for (const [folder, paths] of sources) {
  test(`comments and texts in ${folder} are in plain English`, (t) => {
    const found = paths.flatMap((path) =>
      unwantedInCode(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')).map(
        (word) => `${path}:${word}`,
      ),
    )

    t.deepEqual(found, [])
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

test('an unwanted word is found in comments and in texts of code, with its line', (t) => {
  t.deepEqual(unwantedInCode('let a = 1\n\n// Ask whoever knows.\nlet b = 2\n'), ['3 whoever'])
  t.deepEqual(unwantedInCode('/**\n * Two keys, one of\n * which is new.\n */\nlet a = 1\n'), ['1 of which'])
  t.deepEqual(unwantedInCode('call(1 /* as told */)\n// the end of which\n'), ['1 told', '2 of which'])
  t.deepEqual(unwantedInCode("log('nobody was told')\n"), ['1 told'])
  t.deepEqual(unwantedInCode(`log(\`\${a} bears \${/\`/.exec(b)} codes, \${c} fares\`)\n`), [
    '1 bears',
    '1 fares',
  ])
})

test('names in code, and code in a comment, may be any word', (t) => {
  t.deepEqual(unwantedInCode('const told = heard.told\n// Sets `told`.\nimport a from "./told.ts"\n'), [])
})

/** `src/domain`, `src/adapters/http-koa`, `packages/kit`. */
function folderOf(path: string): string {
  const parts = path.split('/').slice(0, -1)
  return parts.slice(0, parts[1] === 'adapters' ? 3 : 2).join('/')
}

/** Each unwanted word in a comment or in a text, after the number of the line where the comment or text begins. */
function unwantedInCode(code: string): readonly string[] {
  const file = ts.createSourceFile('code.ts', code, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const check = (text: string, position: number) => {
    const line = file.getLineAndCharacterOfPosition(position).line + 1
    found.push(...unwantedIn(text).map((word) => `${line} ${word}`))
  }
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return
    if (node.getChildCount(file) > 0) {
      for (const child of node.getChildren(file)) visit(child)
      return
    }
    const start = node.getStart(file)
    // Only white space and comments precede a token.
    const trivia = code.slice(node.pos, start)
    if (trivia.trim() !== '') check(proseOf(trivia), node.pos + trivia.search(/\S/))
    const isText =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)
    if (isText && !ts.isImportDeclaration(node.parent)) check(node.text, start)
  }
  visit(file)
  return found
}

/** Comments without their marks. */
function proseOf(comments: string): string {
  return comments.replaceAll(/^[ \t]*(?:\/\*\*?|\*(?!\/)|\/\/)|\/\*\*?|\*\/|(?<=[ \t])\/\//gm, ' ')
}

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
