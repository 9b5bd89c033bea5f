import { readFileSync } from 'node:fs'
import test from 'ava'
import { evidenceIn, isNamedTest, problemWith, rowsOf } from './support/named-tests.ts'

const PAGE = readFileSync(new URL('../docs/security-tests.md', import.meta.url), 'utf8')
const ROWS = rowsOf(PAGE, /^[A-Z]\d+$/)

/** How many rules each area of the checklist has. */
const RULES = { C: 8, T: 8, S: 10, A: 5, I: 5, M: 8, K: 6, L: 5, O: 9 }

test('docs/security-tests.md has every rule of the checklist once, in order', (t) => {
  t.deepEqual(
    ROWS.map(([id]) => id),
    Object.entries(RULES).flatMap(([area, count]) =>
      Array.from({ length: count }, (_, n) => `${area}${n + 1}`),
    ),
  )
})

for (const [id, , heldBy = ''] of ROWS) {
  test(`${id} is held by tests that are there, or says by what else`, (t) => {
    if (heldBy.startsWith('not by a test: ')) {
      t.pass()
      return
    }
    for (const evidence of evidenceIn(heldBy)) {
      t.true(isNamedTest(evidence), evidence)
      t.is(problemWith(evidence), undefined)
    }
  })
}
