/** What an operator can do about a reply: HTTP status and ErrorCode of https://postmarkapp.com/developer/api/overview. */
const REMEDIES: readonly (readonly [reply: RegExp, remedy: string])[] = [
  [/^401\b/, 'Set POSTMARK_SERVER_TOKEN to an API token of the server (not of the account)'],
  [
    /\/40[01]$/,
    'Confirm the sender signature or the domain of MAIL_FROM at Postmark, or set MAIL_FROM to a confirmed one',
  ],
  [/\/405$/, 'The account may send no more mails: buy credits at Postmark'],
  [/\/41[23]$/, 'Postmark has not approved the account, or has stopped it: ask their support'],
  [/^429\b/, 'Postmark limits the rate: ask their support, or set MAIL_TRANSPORT to postmark,smtp'],
  [/^5/, 'Postmark has a fault of its own: see https://status.postmarkapp.com'],
  [/^no answer/, 'Check POSTMARK_API_URL, and that this machine can reach it'],
]

/** The remedy for a reply as the audit trail has it: `postmark 422/405`. Undefined if none is known. */
export function postmarkRemedyOf(text: string): string | undefined {
  const reply = /^postmark (.+)$/.exec(text)?.[1]
  return REMEDIES.find(([replies]) => reply !== undefined && replies.test(reply))?.[1]
}
