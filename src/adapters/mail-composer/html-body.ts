import { readFileSync } from 'node:fs'
import { type Brand, readableOn } from './brand.ts'
import { HtmlTemplate } from './html-template.ts'
import type { OtpLetter } from './otp-letter.ts'
import type { Wording } from './wording.ts'

/**
 * Writes letters as HTML that stands alone: no link, script, style or image from elsewhere but the brand's logo, and
 * nothing that is not shown. Each value is alone in its cell, a bidirectional paragraph of its own (UAX #9 §3),
 * and nothing of the operation is outside that table. The template is `otp-letter.mjml`, compiled.
 */
export function htmlBody({ name, color, logoUrl }: Brand): (letter: OtpLetter) => string {
  const branded = HtmlTemplate.parse(
    readFileSync(new URL('./otp-letter.html', import.meta.url), 'utf8'),
  ).fill({
    brandColor: color,
    onBrandColor: readableOn(color),
    name: logoUrl === undefined ? [{ brandName: name }] : [],
    logo: logoUrl === undefined ? [] : [{ logoUrl, logoName: name }],
  })
  const worded = new Map<Wording, HtmlTemplate>()

  return ({ wording, subject, greeting, summary, code, mark, validity, usage }) => {
    const template = worded.get(wording) ?? branded.fill(ownWords(wording))
    worded.set(wording, template)
    const words = allFolded({ subject, greeting, validity, usage })
    return template.fill({ ...words, summary, code, mark }).toString()
  }
}

function ownWords({ language, direction, ...words }: Wording) {
  const { title, introduction, codeLabel, warningTitle, warning, footer } = words
  const start = direction === 'ltr' ? 'left' : 'right'
  const sentences = { title, introduction, codeLabel, warningTitle, warning, footer }
  return { language, direction, start, ...allFolded(sentences) }
}

function allFolded<Name extends string>(texts: Readonly<Record<Name, string>>): Record<Name, string> {
  return Object.fromEntries(
    Object.entries<string>(texts).map(([name, text]) => [name, folded(text)]),
  ) as Record<Name, string>
}

/** What a mail may have on a line without being encoded (RFC 2045 §6.7), less what stands around the text. */
const LINE_LENGTH = 60

/** Our own words with line feeds among their spaces, which HTML does not tell apart. */
function folded(text: string): string {
  let length = 0
  return text
    .split(' ')
    .map((word, index) => {
      const width = asciiLength(word) + 1
      length += width
      if (length > LINE_LENGTH && index > 0) {
        length = width
        return `\n${word}`
      }
      return index === 0 ? word : ` ${word}`
    })
    .join('')
}

/** With a character that is not ASCII written as its number: `&#8217;`. */
function asciiLength(word: string): number {
  return word.length + 6 * (word.match(/[^\0-\x7f]/g)?.length ?? 0)
}
