import { z } from 'zod'
import { MailOutcomeUnknown, MailRefused, MailUnavailable } from '../../application/ports/mail-transport.ts'

/** The parts of nodemailer's errors that hold no text of the server, and one look at such a text. */
export const Failure = z.object({
  /** nodemailer's own: EAUTH, EENVELOPE, ETIMEDOUT … */
  code: z
    .string()
    .regex(/^[A-Z0-9_]+$/)
    .catch('EUNKNOWN'),
  /** The command that was answered. */
  command: z.string().catch(''),
  /** The reply code of RFC 5321 §4.2, where there was a reply. */
  responseCode: z.int().optional().catch(undefined),
  /** True for 5yz, but for 503, which is about the session. */
  permanent: z.boolean().catch(false),
  response: z.string().catch(''),
})

/** Answers to the recipient, and to the content after DATA. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA']
/**
 * Authentication required (RFC 4954 §6) and the whole class of security or policy (RFC 3463 §3.8), which holds
 * `relaying denied`: what the server refuses then is us.
 */
const ABOUT_US = /^(?:530|5\d\d[ -]5\.7\.)/

/**
 * What a failed hand-over is to the application. Refused for good is only what says so about this recipient or
 * this content; whatever repair on our side would cure (connection, login, sender) can still be delivered later.
 * Unknown is what a server that asked for the content did with it and never told (RFC 5321 §4.5.4.1). The error of
 * nodemailer is no `cause`: it quotes the server, who quotes the recipient.
 */
export function smtpFailure(error: unknown, contentWasAskedFor: boolean): MailRefused | MailUnavailable {
  const { code, command, responseCode, permanent, response } = Failure.parse(error)
  const details = responseCode === undefined ? code : `${code}, ${responseCode}`
  if (permanent && ABOUT_THE_MAIL.includes(command) && !ABOUT_US.test(response)) {
    return new MailRefused(`The SMTP server refused the mail (${details})`)
  }
  if (contentWasAskedFor && responseCode === undefined) {
    return new MailOutcomeUnknown(`The SMTP server may have taken the mail (${details})`)
  }
  return new MailUnavailable(`The SMTP server did not take the mail (${details})`)
}
