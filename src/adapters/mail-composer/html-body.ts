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
    return template.fill({ subject, greeting, summary, code, mark, validity, usage }).toString()
  }
}

function ownWords({ language, direction, ...words }: Wording) {
  const { title, introduction, codeLabel, warningTitle, warning, footer } = words
  const start = direction === 'ltr' ? 'left' : 'right'
  return { language, direction, start, title, introduction, codeLabel, warningTitle, warning, footer }
}
