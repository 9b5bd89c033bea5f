import type { OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import { greeting } from './greeting.ts'
import { type VisibleText, visible } from './visible-text.ts'
import type { Wording } from './wording.ts'

/** The content of the mail with a code, for text and HTML alike. All foreign text in it is `VisibleText`. */
export interface OtpLetter {
  readonly wording: Wording
  readonly subject: string
  readonly greeting: string
  readonly summary: readonly { readonly label: VisibleText; readonly value: VisibleText }[]
  readonly code: string
  readonly mark: string
  readonly validity: string
  readonly usage: string
  /** Undefined: the letter has no link. */
  readonly reportUrl: string | undefined
}

/** @param until the end of the code, in the reader's format. */
export function otpLetter(notice: OtpNotice, wording: Wording, until: string): OtpLetter {
  const { code, reference, summary, issuedAt, expiresAt, displayName, reportUrl } = notice
  const length = { min: code.length, max: code.length }
  return {
    wording,
    subject: wording.subject(reference),
    greeting: greeting(wording, displayName),
    summary: summary.map(({ label, value }) => ({
      label: visible(label, length),
      value: visible(value, length),
    })),
    code,
    mark: wording.mark(reference),
    validity: wording.validity((expiresAt.getTime() - issuedAt.getTime()) / 1000, until),
    usage: wording.usage(reference),
    reportUrl,
  }
}
