import { type SmtpReply, STAGES } from './smtp-failure.ts'

/** What an operator can do about a reply, most specific first: the stages and the codes that it is for. */
const REMEDIES: readonly (readonly [stages: RegExp, codes: RegExp, remedy: string])[] = [
  [
    /^token$/,
    /^(?:400|401)\b/,
    'Check SMTP_OAUTH_CLIENT_ID, SMTP_OAUTH_CLIENT_SECRET and SMTP_OAUTH_SCOPE: the token endpoint refuses them. Secrets at Microsoft expire',
  ],
  [/^token$/, /./, 'Check SMTP_OAUTH_TOKEN_URL, and that this machine can reach it'],
  [
    /^TLS$/,
    /^\d/,
    'The server demands encryption: use its host name in SMTP_URL, not one of this machine, so that the service starts TLS; or smtps://',
  ],
  [
    /^TLS$/,
    /./,
    'The server must offer STARTTLS with a certificate that verifies; NODE_EXTRA_CA_CERTS trusts a private authority, smtps:// is TLS from the start',
  ],
  [
    /^EHLO$/,
    /./,
    'The server refuses the name that this service gives in EHLO: set SMTP_EHLO_NAME to a full domain name of this machine that DNS knows',
  ],
  [
    /^(?:MAIL|RCPT|DATA)$/,
    /^504\b/,
    'The server refuses the name that this service gives in EHLO: set SMTP_EHLO_NAME to a full domain name of this machine that DNS knows',
  ],
  [
    /^AUTH$/,
    /^504\b/,
    'The server does not know this kind of login: with the SMTP_OAUTH_ variables it must offer XOAUTH2, without them PLAIN or LOGIN',
  ],
  [
    /^AUTH$/,
    /^535 5\.7\.139\b/,
    'Microsoft 365 does not take this login. Set the SMTP_OAUTH_ variables instead of a password (docs/mail.md), and turn on Authenticated SMTP for the mailbox',
  ],
  [
    /^AUTH$/,
    /^535 5\.7\.3\b/,
    'Microsoft 365 does not take this login. With the SMTP_OAUTH_ variables: the app needs SMTP.SendAsApp with admin consent, and full access to the mailbox (docs/mail.md)',
  ],
  [
    /^AUTH$/,
    /^534\b/,
    'The server wants a safer login than this password: an app password, or the SMTP_OAUTH_ variables (docs/mail.md)',
  ],
  [
    /./,
    /^538\b/,
    'The server takes this login over TLS only: use smtps://, or a host that is not this machine',
  ],
  [/^AUTH$/, /^(?:454|4\d\d 4\.7\.0)\b/, 'The server cannot check logins now: try again, and see its log'],
  [
    /^AUTH$/,
    /./,
    'Check user and password in SMTP_URL: both must be percent-encoded, % itself as %25. With the SMTP_OAUTH_ variables, the user is the mailbox that the token is for',
  ],
  [
    /^(?:MAIL|RCPT|DATA)$/,
    /^530\b/,
    'The server wants a login: put user and password into SMTP_URL, or set the SMTP_OAUTH_ variables',
  ],
  [
    /^RCPT$/,
    /^5\d\d 5\.1\.[78]\b/,
    'The server refuses the sender: set MAIL_FROM, and the senders in BRANDS, to addresses that the user of SMTP_URL may send as',
  ],
  [
    /^RCPT$/,
    /^5\d\d 5\.(?:1\.(?:[1236]|10)|2\.1)\b/,
    'The server knows no such mailbox, so its address gets no more codes. If it exists, correct the list of recipients at the server, then lift the suppression',
  ],
  [
    /^MAIL$/,
    /^5/,
    'The server refuses the sender: set MAIL_FROM, and the senders in BRANDS, to addresses that the user of SMTP_URL may send as',
  ],
  [
    /^RCPT$/,
    /^5\d\d(?: 5\.7\.\d+)?$/,
    'The server relays no mail for this service: put a user into SMTP_URL, or let the server relay for the address of this machine',
  ],
  [
    /^DATA$/,
    /^5/,
    'The server refuses the content by policy: see its log. SPF, DKIM and DMARC must allow it to send for the domain of MAIL_FROM',
  ],
  [
    /^connection$/,
    /^5/,
    'The server refuses connections from the address of this machine: see its log, or use a relay that knows this machine',
  ],
  [
    /./,
    /^4/,
    'The server refuses for now: too many mails or connections, or a fault of its own. See its log',
  ],
]

const CHECK_REACH =
  'Check host and port in SMTP_URL, and that this machine can reach it (many networks block 25, 465 and 587)'

export function smtpRemedy({ stage, codes }: SmtpReply): string {
  return REMEDIES.find(([stages, replies]) => stages.test(stage) && replies.test(codes))?.[2] ?? CHECK_REACH
}

/** The remedy for a reply as the audit trail has it: `smtp AUTH 535 5.7.139`. Undefined if it is of another mail system. */
export function smtpRemedyOf(text: string): string | undefined {
  const [, name, codes] = /^smtp (\S+) (.+)$/.exec(text) ?? []
  const stage = STAGES.find((each) => each === name)
  return stage && codes !== undefined ? smtpRemedy({ stage, codes }) : undefined
}
