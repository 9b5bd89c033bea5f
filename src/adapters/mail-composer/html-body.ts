import type { Brand } from '../../domain/brand.ts'
import { allFolded, htmlLetter, links } from './html-letter.ts'
import type { OtpLetter } from './otp-letter.ts'
import type { Wording } from './wording.ts'

/**
 * Each value is alone in its cell, which is a bidirectional paragraph of its own (UAX #9 §3). The operation appears
 * only in that table.
 */
export function htmlBody(brand: Brand): (letter: OtpLetter) => string {
  const letter = (footerOf: (wording: Wording) => string) =>
    htmlLetter('otp-letter', brand, (wording) => {
      const { title, introduction, codeLabel, warningTitle, warning, report } = wording
      return {
        ...{ title, introduction, codeLabel, warningTitle, warning },
        reportLink: report.link,
        footer: footerOf(wording),
      }
    })
  const withoutLink = letter(({ footer }) => footer)
  const withLink = letter(({ report }) => report.footer)

  return ({ wording, greeting, summary, code, mark, validity, usage, reportUrl }) => {
    const html = reportUrl === undefined ? withoutLink : withLink
    const words = allFolded({ greeting, validity, usage })
    return html(wording, { ...words, summary, code, mark, report: links(reportUrl) })
  }
}
