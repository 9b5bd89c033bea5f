import test from 'ava'
import { aligned } from '../../src/command-line/terminal.ts'

test('columns are as wide as their widest cell, and no line ends in spaces', (t) => {
  t.is(
    aligned(
      [
        ['a', 'long name', 'x'],
        ['bcd', 'e', 'a very long last cell'],
        ['f', 'g', ''],
      ],
      '> ',
    ),
    ['> a    long name  x', '> bcd  e          a very long last cell', '> f    g'].join('\n'),
  )
})
