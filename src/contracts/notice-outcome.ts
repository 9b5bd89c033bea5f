/** What can become of a notice that a mail system sends. */
export const NOTICE_OUTCOMES = [
  /** It says something new, which is stored. */
  'stored',
  /** It says nothing new. */
  'known',
  /** There is no such issuance, or no longer. */
  'unknown',
  /** Its mail is so old that no mail system still tries to deliver it. */
  'outdated',
  /** It says nothing about the mailbox. */
  'ignored',
  /** It repeats the id of another mail. */
  'contradictory',
  /** This service did not make the address that it was sent to. */
  'forged',
  'oversized',
  'looping',
  'unreadable',
  /** The database is away, and the mail system tries again. */
  'unavailable',
  /** A fault of this service, which the log has. */
  'failed',
] as const

export type NoticeOutcome = (typeof NOTICE_OUTCOMES)[number]
