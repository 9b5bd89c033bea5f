/*
 * Notices in the shapes of four mail systems, as Debian 12 has them: Postfix 3.7, OpenSMTPD 6.8, Exim 4.96, sendmail 8.17. The texts
 * are our own. What differs between them is what the shapes are about: types, fields, their case and folding, and where the reply is.
 */

export type MailSystem = 'Postfix' | 'OpenSMTPD' | 'Exim' | 'sendmail'
export const MAIL_SYSTEMS: readonly MailSystem[] = ['Postfix', 'OpenSMTPD', 'Exim', 'sendmail']

/** What becomes of a mail. `unknown` to `content` are replies of the remote server. */
export type Fate =
  | 'unknown'
  | 'bare'
  | 'policy'
  | 'content'
  | 'full'
  | 'waiting'
  | 'local'
  | 'delivered'
  | 'relayed'

interface Shape {
  readonly action: string
  readonly status: string
  readonly diagnostic?: string
  /** What the text for people says of the recipient. */
  readonly words?: string
}

const RECIPIENT = 'nobody@shop.example'
/** The returned mail holds a code. */
export const RETURNED_CODE = '042917'

const REPLIES = {
  unknown: `550 5.1.1 <${RECIPIENT}>: no such user here`,
  bare: '550 no such user here',
  policy: '550 5.7.1 you may not write to us',
  content: '554 5.6.0 we take no such content',
} as const

/** By mail system and fate; undefined if the mail system writes no such notice. */
export function shapeOf(system: MailSystem, fate: Fate): Shape | undefined {
  switch (fate) {
    case 'unknown':
    case 'bare':
    case 'policy':
    case 'content':
      return refused(system, fate)
    case 'full':
      return {
        Postfix: { action: 'failed', status: '4.2.2', diagnostic: 'smtp; 452 4.2.2 the mailbox is full' },
        OpenSMTPD: { action: 'delayed', status: '4.4.7', words: 'Envelope expired' },
        Exim: {
          action: 'failed',
          status: '5.0.0',
          diagnostic: 'smtp; 452 4.2.2 the mailbox is full: retry timeout exceeded',
        },
        sendmail: { action: 'failed', status: '4.4.7', diagnostic: 'SMTP; 452 4.2.2 the mailbox is full' },
      }[system]
    case 'waiting':
      return {
        Postfix: { action: 'delayed', status: '4.2.2', diagnostic: 'smtp; 452 4.2.2 the mailbox is full' },
        OpenSMTPD: { action: 'delayed', status: '4.0.0', words: '452 4.2.2 the mailbox is full' },
        Exim: undefined,
        sendmail: { action: 'delayed', status: '4.3.1', diagnostic: 'SMTP; 452 4.2.2 the mailbox is full' },
      }[system]
    case 'local':
      return {
        Postfix: { action: 'failed', status: '5.1.1', diagnostic: 'X-Postfix; unknown user: "nobody"' },
        OpenSMTPD: { action: 'failed', status: '5.0.0', words: '550 Invalid recipient' },
        Exim: { action: 'failed', status: '5.0.0' },
        sendmail: {
          action: 'failed',
          status: '5.1.1',
          diagnostic: `SMTP; 550 5.1.1 <${RECIPIENT}>... unknown`,
        },
      }[system]
    case 'delivered':
      return system === 'Postfix'
        ? { action: 'delivered', status: '2.0.0', diagnostic: 'X-Postfix; delivered to mailbox' }
        : undefined
    case 'relayed':
      return system === 'Postfix'
        ? { action: 'relayed', status: '2.0.0', diagnostic: 'smtp; 250 2.0.0 taken' }
        : undefined
  }
}

function refused(system: MailSystem, fate: keyof typeof REPLIES): Shape {
  const reply = REPLIES[fate]
  const given = /^5\d\d (5\.\d\.\d)/.exec(reply)?.[1]
  const action = 'failed'
  switch (system) {
    case 'Postfix':
      return { action, status: given ?? '5.0.0', diagnostic: `smtp; ${reply}` }
    case 'OpenSMTPD':
      return { action, status: '5.0.0', words: reply }
    case 'Exim':
      return { action, status: '5.0.0', diagnostic: `smtp; ${reply}` }
    case 'sendmail':
      return {
        action,
        status: fate === 'bare' ? '5.1.1' : fate === 'content' ? '5.0.0' : given!,
        diagnostic: `SMTP; ${reply}`,
      }
  }
}

/** A whole notice. @param envelopeId that of the mail, which two of the four repeat. */
export function noticeOf(system: MailSystem, shape: Shape, to: string, envelopeId: string): string {
  return {
    Postfix: postfix,
    OpenSMTPD: openSmtpd,
    Exim: exim,
    sendmail,
  }[system](shape, to, envelopeId)
}

const RETURNED = [
  'From: Example Bank <no-reply@bank.example>',
  `To: ${RECIPIENT}`,
  'Subject: Your confirmation code (QK)',
]
const WHOLE = [...RETURNED, 'Content-Type: text/plain', '', `Your code is ${RETURNED_CODE}.`, 'Status: 2.0.0']

function postfix({ action, status, diagnostic }: Shape, to: string, envelopeId: string): string {
  return mail(
    [
      'From: MAILER-DAEMON@relay.bank.example (Mail Delivery System)',
      `To: ${to}`,
      'Subject: A mail could not be delivered',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      '\tboundary="1A2B3C.1700000000/relay.bank.example"',
      'Content-Transfer-Encoding: 8bit',
    ],
    '1A2B3C.1700000000/relay.bank.example',
    [
      [
        'Content-Description: Notification',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Sorry.',
        'Status: 2.0.0',
      ],
      [
        'Content-Description: Delivery report',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; relay.bank.example',
        ...(envelopeId ? [`Original-Envelope-Id: ${envelopeId}`] : []),
        'X-Postfix-Queue-ID: 1A2B3C',
        '',
        `Final-Recipient: rfc822; ${RECIPIENT}`,
        `Original-Recipient: rfc822;${RECIPIENT}`,
        `Action: ${action}`,
        `Status: ${status}`,
        ...(diagnostic === undefined ? [] : folded(`Diagnostic-Code: ${diagnostic}`, '    ')),
      ],
      ['Content-Description: Undelivered Message', 'Content-Type: message/rfc822', '', ...WHOLE],
    ],
  )
}

function openSmtpd({ action, status, words }: Shape, to: string): string {
  return mail(
    [
      'Subject: Delivery status notification: error',
      'From: Mailer Daemon <MAILER-DAEMON@relay.bank.example>',
      `To: ${to}`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="12345678901/relay.bank.example"',
    ],
    '12345678901/relay.bank.example',
    [
      [
        'Content-Description: Notification',
        'Content-Type: text/plain; charset=us-ascii',
        '',
        'Hello, a mail was not delivered to:',
        '',
        ...(words === undefined ? [] : [`${RECIPIENT}: ${words}`]),
      ],
      [
        'Content-Description: Delivery Report',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; relay.bank.example',
        '',
        `Final-Recipient: rfc822; ${RECIPIENT}`,
        `Action: ${action}`,
        `Status: ${status}`,
      ],
      ['Content-Description: Message headers', 'Content-Type: text/rfc822-headers', '', ...WHOLE],
    ],
  )
}

function exim({ action, status, diagnostic }: Shape, to: string, envelopeId: string): string {
  return mail(
    [
      `X-Failed-Recipients: ${RECIPIENT}`,
      'Auto-Submitted: auto-replied',
      'From: Mail Delivery System <Mailer-Daemon@relay.bank.example>',
      `To: ${to}`,
      'References: <original@bank.example>',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=1700000000-eximdsn-42',
      'MIME-Version: 1.0',
    ],
    '1700000000-eximdsn-42',
    [
      ['Content-type: text/plain; charset=us-ascii', '', `  ${RECIPIENT}`, '    it did not work'],
      [
        'Content-type: message/delivery-status',
        '',
        'Reporting-MTA: dns; relay.bank.example',
        // Still xtext, and with another case in its name.
        ...(envelopeId ? [`Original-Envelope-ID: ${envelopeId}`] : []),
        '',
        `Action: ${action}`,
        `Final-Recipient: rfc822;${RECIPIENT}`,
        `Status: ${status}`,
        'Remote-MTA: dns; mx.shop.example',
        ...(diagnostic === undefined ? [] : [`Diagnostic-Code: ${diagnostic}`]),
      ],
      ['Content-type: message/rfc822', '', ...WHOLE],
    ],
  )
}

function sendmail({ action, status, diagnostic }: Shape, to: string, envelopeId: string): string {
  return mail(
    [
      'From: Mail Delivery Subsystem <MAILER-DAEMON@relay.bank.example>',
      `To: <${to}>`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      '\tboundary="3AB4.1700000000/relay.bank.example"',
      'Subject: A mail came back',
      'Auto-Submitted: auto-generated (failure)',
      '',
      'This mail has several parts.',
    ],
    '3AB4.1700000000/relay.bank.example',
    [
      // No type.
      ['', '   ----- It was not delivered -----', 'Status: 2.0.0'],
      [
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; relay.bank.example',
        ...(envelopeId ? [`Original-Envelope-Id: ${envelopeId}`] : []),
        '',
        `Final-Recipient: RFC822; ${RECIPIENT}`,
        `X-Actual-Recipient: RFC822; ${RECIPIENT}`,
        `Action: ${action}`,
        `Status: ${status}`,
        ...(diagnostic === undefined ? [] : [`Diagnostic-Code: ${diagnostic}`]),
      ],
      ['Content-Type: text/rfc822-headers', '', ...RETURNED],
    ],
  )
}

function folded(line: string, indent: string): string[] {
  const at = line.indexOf(' ', 40)
  return at === -1 ? [line] : [line.slice(0, at), indent + line.slice(at + 1)]
}

function mail(headers: readonly string[], boundary: string, parts: readonly (readonly string[])[]): string {
  return [
    'Received: from localhost by relay.bank.example',
    ...headers,
    '',
    ...parts.flatMap((part) => [`--${boundary}`, ...part, '']),
    `--${boundary}--`,
    '',
  ].join('\r\n')
}
