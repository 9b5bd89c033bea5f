/*
 * Patterns for the API's document, which tools in many languages read. They use the syntax that regular expressions in ECMAScript
 * (with and without the flag `u`), Python, Java and RE2 share: no lookahead, no `\p`, no `\s` and no `\u`. A test compares each
 * with the rule of the service that it describes. Of the service's rules they leave out two: lone surrogates, and format
 * characters beyond U+FFFF. No syntax for them means the same everywhere, so the descriptions say them in words.
 */

const CONTROLS = String.raw`\x00-\x1f\x7f-\x9f`
const NO_LINE = `${CONTROLS}\u2028\u2029`
/** The white space that ECMAScript knows and that may stand in a line. */
const BLANKS = ' \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff'

/** One line that is not blank. No character fits two of its parts, so a long text takes no longer than its length. */
export const ONE_LINE = `^[${BLANKS}]*[^${NO_LINE}${BLANKS}][^${NO_LINE}]*$`

export const NO_CONTROLS = `^[^${CONTROLS}]*$`

/** Something to see: neither white space nor a format character. */
export const NOT_BLANK = `[^${String.raw`\x09-\x0d\x85\xad`}${BLANKS}\u2028\u2029${[
  '\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e',
  '\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufff9-\ufffb',
].join('')}]`
