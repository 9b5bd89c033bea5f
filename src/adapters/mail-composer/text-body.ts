import { isolated } from './isolated.ts'
import type { OtpLetter } from './otp-letter.ts'
import type { VisibleText } from './visible-text.ts'
import type { Wording } from './wording.ts'

/** Narrow enough that mail programs do not wrap lines again: the second part would lack our bar. */
const LINE_LENGTH = 64
const BAR = '  | '
export const INDENT = '    '
const MAX_LENGTH = LINE_LENGTH - BAR.length - INDENT.length
/** The units that are never cut: a letter with its marks, a flag, an emoji joined from up to four. */
const LETTER = /\p{RI}{2}|\P{M}[\p{M}\p{EMod}]*(?:\u200D\P{M}[\p{M}\p{EMod}]*){0,3}|\p{M}/gu
const OF_SEVERAL_UNITS = /[\p{M}\p{EMod}\u{10000}-\u{10FFFF}]|\u200D/u

/**
 * Writes letters as plain text. Every line of the operation begins with a bar, and no other line does. So no value can
 * pass for a line of ours.
 *
 * @param appHost the host that users type the code into. The last line binds the code to it, so that browsers offer the
 *   code there and nowhere else (Origin-bound one-time codes, WICG). The format has no place for a port.
 */
export function textBody(brandName: string, appHost: string | undefined): (letter: OtpLetter) => string {
  const ownWords = new Map<Wording, OwnWords>()

  return ({ wording, greeting, summary, code, mark, validity, usage, reportUrl }) => {
    const own = ownWords.get(wording) ?? broken(wording)
    ownWords.set(wording, own)
    const operation = summary.flatMap(({ label, value }) => [
      ...lines(label).map((line) => `${BAR}${isolated(line, wording.direction)}`),
      ...lines(value).map((line) => `${BAR}${INDENT}${isolated(line, wording.direction)}`),
    ])
    return [
      brandName,
      wording.title,
      greeting,
      own.introduction,
      operation.join('\n'),
      `${wording.codeLabel} (${mark})`,
      `${INDENT}${INDENT}${code}`,
      lines(validity).join('\n'),
      lines(usage).join('\n'),
      own.warning,
      ...(reportUrl === undefined ? [own.footer] : [link(wording, reportUrl), own.footerWithLink]),
      ...(appHost === undefined ? [] : [`@${appHost} #${code}`]),
    ].join('\n\n')
  }
}

interface OwnWords {
  readonly introduction: string
  readonly warning: string
  readonly footer: string
  readonly footerWithLink: string
}

/** The link to report, whole and on a line of its own: mail programs do not join what is broken. */
export function link({ report }: Wording, url: string): string {
  return `${report.link}\n${url}`
}

function broken({ introduction, warningTitle, warning, footer, report }: Wording): OwnWords {
  return {
    introduction: lines(introduction).join('\n'),
    warning: [...lines(warningTitle), ...lines(warning)].join('\n'),
    footer: lines(footer).join('\n'),
    footerWithLink: lines(report.footer).join('\n'),
  }
}

/** Cuts at spaces where possible, and never inside a letter. */
export function lines<Text extends string | VisibleText>(text: Text): Text[] {
  if (text.length <= MAX_LENGTH) return [text]
  const letters = OF_SEVERAL_UNITS.test(text) ? text.match(LETTER)! : text
  const cut: string[] = []
  for (let from = 0, to = 0; from < letters.length; from = to) {
    const space = letters.length - from > MAX_LENGTH ? letters.lastIndexOf(' ', from + MAX_LENGTH) : -1
    to = space > from ? space : from + MAX_LENGTH
    const line = letters.slice(from, to)
    cut.push((typeof line === 'string' ? line : line.join('')).trim())
  }
  return cut.filter((line) => line !== '') as Text[]
}
