import type { OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import { isolated, type VisibleText, visible } from './visible-text.ts'
import type { Wording } from './wording.ts'

/** What the mail says, the same in text and HTML. Foreign text is visible text from here on. */
export interface OtpLetter {
  readonly wording: Wording
  readonly subject: string
  readonly greeting: string
  readonly summary: readonly { readonly label: VisibleText; readonly value: VisibleText }[]
  readonly code: string
  readonly mark: string
  readonly validity: string
  readonly usage: string
}

/**
 * Letters, spaces, hyphens, apostrophes, and dots after initials. Whoever opens an account under the name of
 * `call 555 0100` or `evil.example` would have us mail it to people; they are greeted without a name.
 */
const NAME = /^(?:[\p{L}\p{M} '’-]|\u200C|\u200D|\.(?= |$)){1,60}$/u

/** @param until the end of the code, as the reader writes it. */
export function otpLetter(notice: OtpNotice, wording: Wording, until: string): OtpLetter {
  const { code, reference, summary, issuedAt, expiresAt, displayName } = notice
  const name = displayName === undefined ? undefined : greetable(displayName)
  return {
    wording,
    subject: wording.subject(reference),
    greeting: wording.greeting(name && isolated(name, wording.direction)),
    summary: summary.map(({ label, value }) => ({ label: visible(label), value: visible(value) })),
    code,
    mark: wording.mark(reference),
    validity: wording.validity((expiresAt.getTime() - issuedAt.getTime()) / 1000, until),
    usage: wording.usage(reference),
  }
}

function greetable(displayName: string): VisibleText | undefined {
  const name = visible(displayName)
  return NAME.test(name) ? name : undefined
}
