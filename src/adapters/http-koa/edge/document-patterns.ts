/*
 * Patterns for the API's document, which tools in many languages read. They use the syntax that regular expressions in ECMAScript
 * (with and without the flag `u`), Python, Java and RE2 share: no lookahead, no `\p`, no `\s` and no `\u`. A test compares each
 * with the rule of the service that it describes. They leave out two rules of the service: lone surrogates, and format
 * characters beyond U+FFFF. No syntax for them means the same everywhere, so the descriptions say them in words.
 */

const CONTROLS = String.raw`\x00-\x1f\x7f-\x9f`
/** The white space of ECMAScript that may stand in a line. */
const BLANKS = ' \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff'
/**
 * The line separators U+2028 and U+2029, and the characters around them. Some tools write a pattern into a literal of their
 * language, which a line separator would end. So patterns exclude all four and allow the outer two again.
 */
const AROUND_SEPARATORS = '\u2027-\u202a'
const OUTER_TWO = '\u2027\u202a'

const IN_LINE = `(?:[^${CONTROLS}${AROUND_SEPARATORS}]|[${OUTER_TWO}])`
const SEEN_IN_LINE = `(?:[^${CONTROLS}${AROUND_SEPARATORS}${BLANKS}]|[${OUTER_TWO}])`

/** One line that is not blank. No character fits two of its parts, so a long text takes no longer than its length. */
export const ONE_LINE = `^[${BLANKS}]*${SEEN_IN_LINE}${IN_LINE}*$`

export const NO_CONTROLS = `^[^${CONTROLS}]*$`

/** The range to U+202F begins one character early, for the same reason. The pattern allows that character again. */
const UNSEEN = [
  String.raw`\x09-\x0d\x20\x85\xa0\xad`,
  '\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e',
  '\u2000-\u200f\u2027-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb',
].join('')

/** Something to see: neither white space nor a format character. */
export const NOT_BLANK = `[^${UNSEEN}]|\u2027`
