import { readFileSync } from 'node:fs'
import { type Brand, readableOn } from '../../domain/brand.ts'
import { HtmlTemplate, type TemplateValues } from './html-template.ts'
import type { Wording } from './wording.ts'

/**
 * Writes letters as self-contained HTML: no link, script or style from elsewhere, no image but the brand's logo, and
 * no hidden content. The template is compiled from the MJML file of that name.
 *
 * The title is the brand's name, in one line: Roundcube shows the rest of a title with a line break as text.
 *
 * @param ownWords the texts that are the same in every letter of a language. They are filled in once.
 */
export function htmlLetter(
  name: 'otp-letter' | 'lock-letter',
  { name: brandName, color, logoUrl }: Brand,
  ownWords: (wording: Wording) => Readonly<Record<string, string>>,
): (wording: Wording, values: TemplateValues) => string {
  const branded = HtmlTemplate.parse(readFileSync(new URL(`./${name}.html`, import.meta.url), 'utf8')).fill({
    brandName,
    brandColor: color,
    onBrandColor: readableOn(color),
    name: logoUrl === undefined ? [{}] : [],
    logo: logoUrl === undefined ? [] : [{ logoUrl }],
  })
  const worded = new Map<Wording, HtmlTemplate>()

  return (wording, values) => {
    const { language, direction } = wording
    const start = direction === 'ltr' ? 'left' : 'right'
    const template =
      worded.get(wording) ?? branded.fill({ language, direction, start, ...allFolded(ownWords(wording)) })
    worded.set(wording, template)
    return template.fill(values).toString()
  }
}

export function allFolded<Name extends string>(texts: Readonly<Record<Name, string>>): Record<Name, string> {
  return Object.fromEntries(
    Object.entries<string>(texts).map(([name, text]) => [name, folded(text)]),
  ) as Record<Name, string>
}

/** The longest line that a mail may have without an encoding (RFC 2045 §6.7), minus the markup around the text. */
const LINE_LENGTH = 60

/** Breaks our own words into lines. HTML treats a line feed like a space. */
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

/** Counts a character that is not ASCII as its numeric reference: `&#8217;`. */
function asciiLength(word: string): number {
  return word.length + 6 * (word.match(/[^\0-\x7f]/g)?.length ?? 0)
}
