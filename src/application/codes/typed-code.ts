const DIGIT = /\p{Nd}/u
const DIGIT_OR_SEPARATOR = /\p{Nd}|[\p{White_Space}\p{Dash}\p{Cf}]/gu
/** Something to see: no white space and no format character. */
const NOT_BLANK = /[^\s\u0085\p{Cf}]/u

/**
 * The one candidate that a typed text stands for. The decimal digits of every script become those of ASCII, because keypads
 * have the digits of their language. Blanks, dashes and format characters are dropped. All else stays: an `O` is no zero, and
 * a text with a letter is wrong.
 */
export function codeTyped(text: string): string {
  return text.replaceAll(DIGIT_OR_SEPARATOR, (one) => (DIGIT.test(one) ? digitValue(one) : ''))
}

/** Whether a person would say that nothing was typed. */
export function isBlank(text: string): boolean {
  return !NOT_BLANK.test(text)
}

/** Unicode encodes decimal digits in runs from zero to nine, and a run starts anywhere. Some follow each other directly. */
function digitValue(digit: string): string {
  const codePoint = digit.codePointAt(0)!
  let start = codePoint
  while (DIGIT.test(String.fromCodePoint(start - 1))) start--
  return String((codePoint - start) % 10)
}
