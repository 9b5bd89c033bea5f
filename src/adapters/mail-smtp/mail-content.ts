import { foldLines, isPlainText } from 'nodemailer/lib/mime-funcs'
import MimeNode from 'nodemailer/lib/mime-node'
import { encode, wrap } from 'nodemailer/lib/qp'
import type { MailMessage } from '../../application/ports/mail-transport.ts'
import type { SmtpSender } from './smtp-sender.ts'

/** The longest line that nodemailer sends without an encoding. RFC 5322 §2.1.1 recommends 78. */
const LINE_LENGTH = 76

/** RFC 3834 §5. Exchange obeys the second. */
const AUTOMATIC = ['Auto-Submitted: auto-generated', 'X-Auto-Response-Suppress: All']

/** The parts of a mail that become its headers and bodies. */
type Letter = Pick<MailMessage, 'id' | 'to' | 'subject' | 'text' | 'html'>

/**
 * Writes mails as nodemailer would: one sender, one recipient, a text and the same as HTML (RFC 5322, RFC 2045). nodemailer builds a
 * tree and passes it through a dozen streams, which costs more than the rest of the delivery. It still encodes every word and text.
 */
export function mailContent(
  sender: SmtpSender,
  replyTo?: SmtpSender,
): (letter: Letter, messageId: string, date: Date) => Buffer {
  // Its encodings depend on nothing but their arguments.
  const node = new MimeNode('text/plain')
  const header = (name: string, value: string | SmtpSender) =>
    foldLines(`${name}: ${node.encodeHeaderValue(name, value)}`, LINE_LENGTH)
  const from = header('From', sender)
  const answersTo = replyTo ? [header('Reply-To', replyTo)] : []

  return ({ id, to, subject, text, html }, messageId, date) => {
    // Random, so no text of the mail contains it. And `=_` occurs in no encoded text (RFC 2045 §6.7).
    const boundary = `=_${id}`
    return Buffer.from(
      [
        ...AUTOMATIC,
        from,
        ...answersTo,
        // An `EmailAddress` has no character that needs an encoding.
        `To: ${to}`,
        header('Subject', subject),
        `Message-ID: ${messageId}`,
        `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
        'MIME-Version: 1.0',
        `Content-Type: multipart/alternative;\r\n boundary="${boundary}"`,
        '',
        `--${boundary}`,
        ...part('plain', text),
        `--${boundary}`,
        ...part('html', html),
        `--${boundary}--`,
        '',
      ].join('\r\n'),
      'latin1',
    )
  }
}

function part(subtype: 'plain' | 'html', content: string): string[] {
  const text = content.replaceAll(/\r?\n|\r/g, '\r\n')
  const [encoding, encoded] = encodedText(text)
  return [
    `Content-Type: text/${subtype}; charset=utf-8`,
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    encoded,
  ]
}

/** Quoted-printable is for mostly Latin text: a filter that reads the source can still read it. */
function encodedText(text: string): readonly [encoding: string, text: string] {
  if (isPlainText(text) && !hasLongLine(text)) return ['7bit', text]
  if (isMostlyLatin(text)) return ['quoted-printable', wrap(encode(text), LINE_LENGTH)]
  return [
    'base64',
    Buffer.from(text)
      .toString('base64')
      .replaceAll(/.{76}(?!$)/g, '$&\r\n'),
  ]
}

function hasLongLine(text: string): boolean {
  for (let start = 0, end = 0; end !== -1; start = end + 2) {
    end = text.indexOf('\r\n', start)
    if ((end === -1 ? text.length : end) - start > LINE_LENGTH) return true
  }
  return false
}

/** The rule of nodemailer, which it does not export. */
function isMostlyLatin(text: string): boolean {
  const foreign = text.match(/[^\t\n\r\x20-\x7f]/g)?.length ?? 0
  const latin = text.match(/[A-Za-z]/g)?.length ?? 0
  return foreign < latin
}
