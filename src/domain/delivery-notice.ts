import type { BounceKind } from './domain-event.ts'
import { MailStatus } from './mail-status.ts'
import type { UndatedReport } from './otp-issuance.ts'

/** What a notice of a mail system says about one recipient (RFC 3464 §2.3). */
export interface RecipientNotice {
  /** In lower case. */
  readonly action: string
  /** `5.1.1`, with the comment that may follow it; undefined if the notice has none. */
  readonly status: string | undefined
  /** What the notice quotes of the server that refused the mail; undefined if it quotes nothing. */
  readonly diagnostic: string | undefined
}

export const DeliveryNotice = {
  /**
   * What the notice reports; undefined if it reports nothing about the mailbox, as a mail that was passed on to a server without
   * notices. A mail has one recipient, so several are what an alias or a list made of it: the mildest outcome counts.
   */
  judge(recipients: readonly RecipientNotice[]): UndatedReport | undefined {
    return recipients.flatMap(judgeRecipient).sort((one, other) => harmOf(one) - harmOf(other))[0]
  },
}

/** One report at most. */
function judgeRecipient(notice: RecipientNotice): readonly UndatedReport[] {
  switch (notice.action) {
    case 'delivered':
      return [{ outcome: 'delivered' }]
    case 'delayed':
      // OpenSMTPD reports a mail that it has given up as delayed.
      return [isExpired(notice) ? { outcome: 'bounced', kind: 'soft-bounce' } : { outcome: 'delayed' }]
    case 'failed':
      return [{ outcome: 'bounced', kind: bounceKind(notice) }]
  }
  return []
}

function isExpired({ status, diagnostic = '' }: RecipientNotice): boolean {
  return status?.startsWith('4.4.7') || /\benvelope expired\b/i.test(diagnostic)
}

/**
 * The reply of the server that refused the mail counts before the status, because mail systems fill in the status as they please:
 * Exim and OpenSMTPD write 5.0.0 for each failure, and sendmail writes 5.1.1 for a reply without a code. A failure is held against an
 * address only if all codes of the reply say that the address takes no mail.
 */
function bounceKind({ status, diagnostic = '' }: RecipientNotice): BounceKind {
  const text = withoutAddresses(diagnostic)
  const reply = /\b([245])\d\d(?=[ -]|$)/.exec(text)
  const codes = codesOf(text)
  const decisive = reply || codes.length > 0 ? codes : codesOf(status ?? '')
  const isPermanent = reply?.[1] !== '4' && decisive.length > 0 && decisive.every(MailStatus.refusesMailbox)
  return isPermanent ? 'hard-bounce' : 'soft-bounce'
}

/** The server quotes addresses, and a local part may look like a code. */
function withoutAddresses(text: string): string {
  // Two passes, so that no character starts a search to the end of the text.
  return text.replaceAll(/<[^<>]*>/g, '').replaceAll(/\S+/g, (word) => (word.includes('@') ? '' : word))
}

/** The codes that follow a reply code, as RFC 2034 has it. Without any, those anywhere in the text. */
function codesOf(text: string): readonly string[] {
  const inPlace = matches(text, /\b[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?![.\d]*\d)/g)
  return inPlace.length > 0 ? inPlace : matches(text, /(?<![.\d])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)/g)
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, code]) => code!)
}

function harmOf(report: UndatedReport): number {
  if (report.outcome === 'bounced') return report.kind === 'soft-bounce' ? 2 : 3
  return report.outcome === 'delivered' ? 0 : 1
}
