import type { Brand } from '../../domain/brand.ts'
import { allFolded, htmlLetter } from './html-letter.ts'
import type { OtpLetter } from './otp-letter.ts'

/**
 * Each value is alone in its cell, which is a bidirectional paragraph of its own (UAX #9 §3). The operation appears
 * only in that table.
 */
export function htmlBody(brand: Brand): (letter: OtpLetter) => string {
  const html = htmlLetter(
    'otp-letter',
    brand,
    ({ title, introduction, codeLabel, warningTitle, warning, footer }) => ({
      ...{ title, introduction, codeLabel, warningTitle, warning, footer },
    }),
  )

  return ({ wording, greeting, summary, code, mark, validity, usage }) => {
    const words = allFolded({ greeting, validity, usage })
    return html(wording, { ...words, summary, code, mark })
  }
}
