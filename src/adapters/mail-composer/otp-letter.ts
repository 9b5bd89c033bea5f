import type { OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import { isolated, type VisibleText, visible } from './visible-text.ts'
import type { Wording } from './wording.ts'

/** What the mail says, the same in text and HTML. Foreign text is visible text from here on. */
export interface OtpLetter {
  readonly wording: Wording
  readonly greeting: string
  readonly summary: readonly { readonly label: VisibleText; readonly value: VisibleText }[]
  readonly code: string
  readonly reference: string
  readonly validity: string
}

/**
 * Letters, spaces, hyphens, apostrophes, and dots after initials. Whoever opens an account under the name of
 * `call 555 0100` or `evil.example` would have us mail it to people; they are greeted without a name.
 */
const NAME = /^(?:[\p{L}\p{M} '’-]|\.(?= |$)){1,60}$/u

export function otpLetter(notice: OtpNotice, wording: Wording): OtpLetter {
  const { code, reference, summary, issuedAt, expiresAt, displayName } = notice
  return {
    wording,
    greeting: wording.greeting(displayName === undefined ? undefined : greetable(displayName)),
    summary: summary.map(({ label, value }) => ({ label: visible(label), value: visible(value) })),
    code,
    reference,
    validity: wording.validity(instant(expiresAt, wording), duration(issuedAt, expiresAt, wording)),
  }
}

function greetable(displayName: string): string | undefined {
  const name = visible(displayName)
  return NAME.test(name) ? isolated(name) : undefined
}

/** In UTC and saying so: where the reader is, is not known. */
function instant(at: Date, { language }: Wording): string {
  return new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
    timeZoneName: 'short',
  }).format(at)
}

/** Rounded down, so that it never promises more than there is. */
function duration(from: Date, to: Date, { language }: Wording): string {
  const seconds = Math.floor((to.getTime() - from.getTime()) / 1000)
  const [unit, amount] = seconds < 120 ? ['second', seconds] : ['minute', Math.floor(seconds / 60)]
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(amount)
}
