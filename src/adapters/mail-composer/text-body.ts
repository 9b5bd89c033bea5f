import type { OtpLetter } from './otp-letter.ts'
import { isolated, type VisibleText } from './visible-text.ts'

/** Narrow enough that a mail program has no reason to break a line again, where it would drop our bar. */
const LINE_LENGTH = 64
const BAR = '  | '
const INDENT = '    '
const LETTERS = `(?:\\P{M}\\p{M}*){1,${LINE_LENGTH - BAR.length - INDENT.length}}`
const LINE = new RegExp(`${LETTERS}(?= |$)|${LETTERS}`, 'gu')

/**
 * The mail as plain text. Every line that holds anything of the operation begins with a bar, and no other line
 * does: whatever a value says, it does not pass for a line of ours.
 */
export function textBody({ wording, greeting, summary, code, reference, validity }: OtpLetter): string {
  const operation = summary.flatMap(({ label, value }) => [
    ...broken(label).map((line) => `${BAR}${isolated(line)}`),
    ...broken(value).map((line) => `${BAR}${INDENT}${isolated(line)}`),
  ])
  return [
    wording.title,
    greeting,
    broken(wording.introduction).join('\n'),
    operation.join('\n'),
    `${wording.codeLabel}, ${wording.mark(reference)}:`,
    `${INDENT}${INDENT}${code}`,
    broken(validity).join('\n'),
    broken(wording.usage(reference)).join('\n'),
    [wording.warningTitle, ...broken(wording.warning)].join('\n'),
    broken(wording.footer).join('\n'),
  ].join('\n\n')
}

/** Cuts at spaces where there are some, and never between a letter and the marks on it. */
function broken<Text extends string | VisibleText>(text: Text): Text[] {
  const lines = text.match(LINE) ?? ['']
  return lines.map((line) => line.trim()).filter((line) => line !== '' || text === '') as Text[]
}
