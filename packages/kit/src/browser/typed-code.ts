/** A code of a service that does not say how many digits it has: 6 to 8. */
const ANY_LENGTH: CodeLength = { min: 6, max: 8 }

/** How many digits a code has, at least and at most. */
export interface CodeLength {
  readonly min: number
  readonly max: number
}

/** @param digits how many digits the service says that a code has; undefined for a service that does not say it. */
export function codeLength(digits: number | undefined): CodeLength {
  return digits === undefined ? ANY_LENGTH : { min: digits, max: digits }
}

/**
 * The digits that a text stands for, as the service reads it: each decimal digit of any script is its ASCII digit; white space,
 * dashes and format characters do not count; everything else stays as it is.
 */
export function normalised(text: string): string {
  return withAsciiDigits(text).replaceAll(/[\s\u0085\p{Pd}\u2212\p{Cf}]/gu, '')
}

/**
 * The code in what was typed or pasted: all of it, or the one number in a sentence that has the length of a code. Undefined if no
 * number has it, or several have.
 */
export function codeIn(text: string, length: CodeLength): string | undefined {
  const whole = normalised(text)
  if (/^\d+$/.test(whole)) return isCode(whole, length) ? whole : undefined
  const visible = withAsciiDigits(text).replaceAll(/\p{Cf}/gu, '')
  return onlyOne(visible, UNBROKEN, length) ?? onlyOne(visible, IN_GROUPS, length)
}

/** Not part of a word, nor of an amount such as 125000.00. */
const [AFTER, BEFORE] = ['(?<![\\p{L}\\p{M}\\p{N}]|\\d[.,])', '(?![\\p{L}\\p{M}\\p{N}]|[.,]\\d)']
const UNBROKEN = new RegExp(`${AFTER}\\d+${BEFORE}`, 'gu')
const IN_GROUPS = new RegExp(`${AFTER}\\d+(?:[ \\u00A0\\u202F\\u2007\\p{Pd}\\u2212]\\d+)+${BEFORE}`, 'gu')

/** The same code twice, as in the subject and the text of a mail, is one. */
function onlyOne(text: string, pattern: RegExp, length: CodeLength): string | undefined {
  const numbers = [...text.matchAll(pattern)].map(([number]) => normalised(number))
  const codes = new Set(numbers.filter((number) => isCode(number, length)))
  return codes.size === 1 ? [...codes][0] : undefined
}

const isCode = ({ length }: string, { min, max }: CodeLength) => min <= length && length <= max

function withAsciiDigits(text: string): string {
  return text.replaceAll(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
}

/** Unicode has the ten digits of a script in a row, from zero (The Unicode Standard, section 4.6). Rows may adjoin. */
function digitValue(digit: string): number {
  const point = digit.codePointAt(0)!
  let first = point
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--
  return (point - first) % 10
}
