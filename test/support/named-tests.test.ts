import test from 'ava'
import { evidenceIn, isNamedTest, problemWith, rowsOf } from './named-tests.ts'

const HERE = '`test/support/named-tests.test.ts`: '

test('a test that is there has no problem, however its title is quoted', (t) => {
  t.is(problemWith(`${HERE}a test that is there has no problem, however its title is quoted`), undefined)
  t.is(problemWith(`${HERE}a bar \\| in a title is written with a backslash in a table`), undefined)
  t.is(problemWith(`${HERE}an apostrophe in a title isn't one of its quotes`), undefined)
})

test('a bar | in a title is written with a backslash in a table', (t) => {
  t.deepEqual(rowsOf('| 1 | a \\| b | c |\n| x | y |\n', /^\d$/), [['1', 'a \\| b', 'c']])
})

test("an apostrophe in a title isn't one of its quotes", (t) => {
  t.deepEqual(evidenceIn("a · isn't"), ['a', "isn't"])
})

test('a test that is gone, or whose file is gone, is named', (t) => {
  // Put together, so that this file does not have the title.
  const gone = ['a title', 'that nobody has'].join(' ')

  t.regex(problemWith(`${HERE}${gone}`) ?? '', /named-tests\.test\.ts has no test with the title: a title/)
  t.is(problemWith(`\`test/gone.test.ts\`: ${gone}`), 'test/gone.test.ts does not exist')
  t.true(isNamedTest(`${HERE}${gone}`))
  t.false(isNamedTest('a reason of some length'))
})
