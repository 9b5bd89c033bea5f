import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { evidenceIn, isNamedTest, problemWith, rowsOf } from './support/named-tests.ts'

/* The pages for operators say nothing that nobody has seen: docs/claims.md lists what they say, and the test of each. */

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const page = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8')
const inOneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

const sections = page('docs/claims.md')
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    path: section.slice(0, section.indexOf('\n')),
    claims: rowsOf(section, /^(?!claim$|-+$|-+\|)/),
  }))

test('docs/claims.md is about the pages that operators rely on', (t) => {
  t.deepEqual(
    sections.map(({ path }) => path),
    ['SECURITY.md', 'docs/faults.md', 'docs/operations.md'],
  )
})

for (const { path, claims } of sections) {
  for (const [claim = '', evidence = ''] of claims) {
    test(`${path} says "${claim}", and a test has seen it, or a reason says why not`, (t) => {
      t.true(inOneLine(page(path)).includes(claim.replaceAll('\\|', '|')), 'the page does not say so')
      for (const each of evidenceIn(evidence)) {
        t.true(isNamedTest(each) || /^by hand: .{10,}\.$/.test(each), each)
        if (isNamedTest(each)) t.is(problemWith(each), undefined)
      }
    })
  }
}

test('every attacker in SECURITY.md has a defence that a test has seen', (t) => {
  const [security] = sections
  const defences = rowsOf(page('SECURITY.md').split('## Deviations')[0]!, /^(?!attacker$|-+$)/).filter(
    (cells) => cells.length === 3,
  )

  t.true(defences.length >= 15)
  const unseen = defences.filter(
    ([, , defence]) => !security!.claims.some(([claim]) => inOneLine(defence!).includes(claim!)),
  )
  t.deepEqual(
    unseen.map(([attacker]) => attacker),
    [],
  )
})

test('every fault in docs/faults.md names a test that is there', (t) => {
  const faults = rowsOf(page('docs/faults.md').split('## The clock')[0]!, /^(?!fault$|-+$)/)
    .map((cells) => cells.at(-1)!)
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!))

  t.true(faults.length >= 18)
  for (const name of faults) {
    const places = [
      `proofs/faults/${name}.test.ts`,
      `proofs/${name}/*.test.ts`,
      `${name}.test.ts`,
      `${name}/*.test.ts`,
    ]
    const ofChaos = name === 'chaos:mail' ? ['proofs/chaos/chaos-mail.test.ts'] : []
    t.true(globSync([...places, ...ofChaos], { cwd: ROOT }).length > 0, name)
  }
})
