import test from 'ava'
import { codeIn, codeLength, normalised } from '../../packages/kit/src/browser/typed-code.ts'
import { CODE_SPELLINGS, NOT_CODES } from '../support/code-spellings.ts'

for (const [what, typed, code] of CODE_SPELLINGS) {
  test(`the kit reads ${what} as the service does`, (t) => {
    t.is(normalised(typed), code)
    t.is(codeIn(typed, codeLength(code.length)), code)
    t.is(codeIn(typed, codeLength(undefined)), code)
  })
}

for (const [what, typed] of NOT_CODES) {
  test(`the kit makes no code of ${what} that the service would not take`, (t) => {
    t.notRegex(normalised(typed), /^\d{6}$/)
    // It may find the code within, as in a sentence; it never completes one.
    t.true([undefined, '042917'].includes(codeIn(typed, codeLength(6))))
  })
}

for (const [what, text] of [
  ['the subject of a mail', '042917 is your code (QK)'],
  ['a sentence with a time and an amount', 'Code 042917, for EUR 1,250.00, until 12:05.'],
  ['a sentence with an amount of six digits', 'EUR 125000.00 to ACME GmbH: your code is 042917'],
  ['a sentence with an IBAN', 'DE89 3704 0044 0532 0130 00. Code: 042917'],
  ['a sentence that groups the digits', 'Your code: 042 917.'],
  ['a subject and a text with the same code', 'Code 042917\n\nYour code is\n042 917\n042917'],
  ['Arabic', 'رمزك هو ٠٤٢٩١٧ وعليه العلامة QK'],
] as const) {
  test(`the one code in ${what} is found`, (t) => {
    t.is(codeIn(text, codeLength(6)), '042917')
  })
}

for (const [what, text] of [
  ['two codes', '042917 or 042918'],
  ['a word with digits', 'invoice A042917'],
  ['an amount', 'EUR 042917.00'],
  ['a number that is too long', 'account 0429170'],
] as const) {
  test(`no code is taken out of ${what}`, (t) => {
    t.is(codeIn(text, codeLength(6)), undefined)
  })
}
