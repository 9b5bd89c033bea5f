import { z } from 'zod'
import { MailOutcomeUnknown, MailRefused, MailUnavailable } from '../../application/ports/mail-transport.ts'

/** The parts of nodemailer's errors that are safe to log. `response` is the server's text, and is only matched. */
export const Failure = z.object({
  /** nodemailer's own: EAUTH, EENVELOPE, ETIMEDOUT … */
  code: z
    .string()
    .regex(/^[A-Z0-9_]+$/)
    .catch('EUNKNOWN'),
  /** The command that the server answered. */
  command: z.string().catch(''),
  /** The reply code of RFC 5321 §4.2, if the server replied. */
  responseCode: z.int().optional().catch(undefined),
  /** True for 5yz, except for 503, which concerns the session. */
  permanent: z.boolean().catch(false),
  response: z.string().catch(''),
})

/** The commands whose answers concern the recipient, or the content after DATA. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA']
/**
 * "Authentication required" (RFC 4954 §6) and the class of security or policy (RFC 3463 §3.8), which includes `relaying
 * denied`. With these the server refuses us, not the mail.
 */
const ABOUT_US = /^(?:530|5\d\d[ -]5\.7\.)/

/**
 * Translates a failed attempt into the application's terms. A mail is refused for good only if the server refuses this
 * recipient or this content. A fault on our side (connection, login, sender) can be repaired, and the mail sent later.
 * The outcome is unknown if the server asked for the content and never answered (RFC 5321 §4.5.4.1). nodemailer's error
 * is not passed on as `cause`: it quotes the server, which quotes the recipient.
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
