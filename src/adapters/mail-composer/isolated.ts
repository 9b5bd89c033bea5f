import type { VisibleText } from './visible-text.ts'

/** The blocks of right-to-left characters, Arabic digits included (DerivedBidiClass.txt: R, AL, AN). */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u

/**
 * Puts text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX #9 §2.4). Then a Hebrew name does not reverse
 * the sentence around it, and an Arabic sentence does not reverse an amount. HTML mails use the characters too, because
 * mail programs drop `<bdi>`. Left-to-right text inside left-to-right text stays as it is, so that users copy it clean.
 */
export function isolated(text: VisibleText, around: 'ltr' | 'rtl'): string {
  return around === 'ltr' && !RIGHT_TO_LEFT.test(text) ? text : `\u2068${text}\u2069`
}
