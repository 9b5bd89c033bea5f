import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { declarations } from '../src/config/variables.ts'
import { evidenceIn, isNamedTest, problemWith, rowsOf } from './support/named-tests.ts'

/*
 * docs/compliance.md leaves out no clause, and each clause has a test that is there, a page, or a reason. test/links.test.ts checks
 * that the pages and their headings exist.
 */

const PAGE = readFileSync(new URL('../docs/compliance.md', import.meta.url), 'utf8')

/** The part of the page below a heading, up to the next one of the same rank. */
function part(heading: string): string {
  const [rank] = heading.split(' ')
  const start = PAGE.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`docs/compliance.md has no heading ${heading}`)
  const rest = PAGE.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{2,${rank!.length}} `, 'm'))
  return end === -1 ? rest : rest.slice(0, end)
}

const clausesOf = (heading: string) => rowsOf(part(heading), /^(?!clause$|-+\|)/).map(([clause]) => clause!)

/** How many requirements each section of OWASP ASVS 5.0 has, at the levels 1, 2 and 3. */
const ASVS = {
  'V2 Validation and business logic': { 2.1: 3, 2.2: 3, 2.3: 5, 2.4: 2 },
  'V4 API and web service': { 4.1: 5, 4.2: 5, 4.3: 2, 4.4: 4 },
  'V6 Authentication': { 6.1: 3, 6.2: 12, 6.3: 8, 6.4: 6, 6.5: 8, 6.6: 4, 6.7: 2, 6.8: 4 },
  'V7 Session management': { 7.1: 3, 7.2: 4, 7.3: 2, 7.4: 5, 7.5: 3, 7.6: 2 },
  'V8 Authorization': { 8.1: 4, 8.2: 4, 8.3: 3, 8.4: 2 },
  'V9 Self-contained tokens': { 9.1: 3, 9.2: 4 },
  'V11 Cryptography': { 11.1: 4, 11.2: 5, 11.3: 5, 11.4: 4, 11.5: 2, 11.6: 2, 11.7: 2 },
  'V12 Secure communication': { 12.1: 5, 12.2: 2, 12.3: 5 },
  'V13 Configuration': { 13.1: 4, 13.2: 6, 13.3: 4, 13.4: 7 },
  'V14 Data protection': { 14.1: 2, 14.2: 8, 14.3: 3 },
  'V16 Logging and errors': { 16.1: 1, 16.2: 5, 16.3: 4, 16.4: 3, 16.5: 4 },
} as const

/** `7.1.1–7.1.3` is three clauses. */
function expanded(clause: string): readonly string[] {
  const [first = '', last] = clause.split('–')
  if (last === undefined) return [first]
  const section = first.slice(0, first.lastIndexOf('.'))
  const [from, to] = [first, last].map((each) => Number(each.slice(each.lastIndexOf('.') + 1)))
  return Array.from({ length: to! - from! + 1 }, (_, n) => `${section}.${from! + n}`)
}

for (const [chapter, sections] of Object.entries(ASVS)) {
  test(`docs/compliance.md has every requirement of ${chapter} once, in order`, (t) => {
    t.deepEqual(
      clausesOf(`### ${chapter}`).flatMap(expanded),
      Object.entries(sections)
        .toSorted(([one], [other]) => Number(one) - Number(other))
        .flatMap(([section, count]) => Array.from({ length: count }, (_, n) => `${section}.${n + 1}`)),
    )
  })
}

test('docs/compliance.md has every rule of the cheat sheet once, in order', (t) => {
  t.deepEqual(clausesOf('## OWASP Transaction Authorization Cheat Sheet'), [
    ...[1, 2, 3, 4, 5].map((n) => `1.${n}`),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `2.${n}`),
  ])
})

for (const [heading, articles] of [
  ['## PSD2 RTS (EU) 2018/389', ['4', '5', '7', '9', '22']],
  ['## GDPR', ['5', '15', '17', '25', '30', '32']],
] as const) {
  test(`docs/compliance.md has the articles ${articles.join(', ')} of ${heading.slice(3)}`, (t) => {
    const found = clausesOf(heading).map((clause) => /^\d+/.exec(clause)?.[0])

    t.deepEqual([...new Set(found)], [...articles])
  })
}

test('docs/compliance.md has the requirements and appendices of RFC 6238 and RFC 4226, and NIST SP 800-63B-4', (t) => {
  for (const [heading, clauses] of [
    ['## RFC 6238', ['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', '§4.2', '§5.1', '§5.2', '§6', 'Appendix B']],
    ['## RFC 4226', ['§5.2', '§5.3', '§7.1, RP1', '§7.2', '§7.3', '§7.4', '§7.5', '§7.6', 'Appendix D']],
    ['## NIST SP 800-63B-4', ['§3.1.3.1', '§3.1.3.2', '§3.2.2']],
  ] as const) {
    for (const clause of clauses) t.true(clausesOf(heading).includes(clause), `${heading} ${clause}`)
  }
})

for (const [clause, short, evidence = ''] of rowsOf(PAGE, /^(?!clause$|-+\|)/)) {
  test(`${clause}, "${short}", has a test that is there, a page, or a reason`, (t) => {
    for (const each of evidenceIn(evidence)) {
      const isReason = /^(?:deviation|the bank's own|not used): .{10,}\.$/.test(each)
      const isPage = /^\[[^\]]+\]\([^)]+\.md(?:#[^)]+)?\)$/.test(each)

      t.true(isReason || isPage || isNamedTest(each), each)
      if (isNamedTest(each)) t.is(problemWith(each), undefined)
    }
  })
}

test('docs/processing.md has every table of the database, and docs/data-flow.md every place of the configuration', (t) => {
  const page = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
  const tables = [...page('prisma/schema.prisma').matchAll(/@@map\("(\w+)"\)/g)].map(([, table]) => table!)
  // A mail program loads the logo, and this service does not.
  const places = declarations
    .map(([name]) => name)
    .filter((name) => /_URL$|_ENDPOINT$|_SERVERS$|^HOST$|^PORT$|^MANAGEMENT_/.test(name))
    .filter((name) => name !== 'BRAND_LOGO_URL')

  t.true(tables.length >= 6 && places.length >= 9)
  t.deepEqual(
    tables.filter((table) => !page('docs/processing.md').includes(`\`${table}\``)),
    [],
  )
  t.deepEqual(
    places.filter((place) => !page('docs/data-flow.md').includes(`\`${place}\``)),
    [],
  )
})

test('docs/threat-model.md has every folder whose code uses cryptography', (t) => {
  const root = fileURLToPath(new URL('../', import.meta.url))
  const page = readFileSync(new URL('../docs/threat-model.md', import.meta.url), 'utf8')
  const folders = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /from '(?:node:crypto|jose)'/.test(readFileSync(`${root}${path}`, 'utf8')))
    .map((path) => /^(?:src\/adapters\/([^/]+)|(src\/[^/]+|packages\/[^/]+))/.exec(path))
    .map((match) => match?.[1] ?? match?.[2] ?? '')

  t.true(folders.length > 15)
  t.deepEqual(
    [...new Set(folders)].filter((folder) => !page.includes(`\`${folder}\``)),
    [],
  )
})
