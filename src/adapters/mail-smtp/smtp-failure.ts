import { z } from 'zod'
import {
  MailOutcomeUnknown,
  MailRefused,
  MailUnavailable,
  RecipientSuppressed,
} from '../../application/ports/mail-transport.ts'
import { MailStatus } from '../../domain/mail-status.ts'
import { TokenUnavailable } from './client-credentials.ts'

/** The parts of nodemailer's errors that are safe to log. `response` is the server's text, and is only matched. */
const Failure = z.object({
  /** nodemailer's own: EAUTH, EENVELOPE, ETIMEDOUT … */
  code: z
    .string()
    .regex(/^[A-Z0-9_]{1,40}$/)
    .catch('EUNKNOWN'),
  /** The code of Node.js behind it, as for a certificate that does not verify. */
  originalCode: z.string().catch(''),
  /** The command that the server answered. */
  command: z.string().catch(''),
  /** The reply code of RFC 5321 §4.2, if the server replied. */
  responseCode: z.int().optional().catch(undefined),
  /** True for 5yz, except for 503, which concerns the session. */
  permanent: z.boolean().catch(false),
  response: z.string().catch(''),
})
type Failure = z.infer<typeof Failure>

/** What failed: getting a token, the connection, its encryption, or what a command named. */
export const STAGES = ['token', 'connection', 'TLS', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA'] as const
type Stage = (typeof STAGES)[number]

/** A refusal in codes. As a text it is `smtp RCPT 550 5.7.1`, which holds nothing of the server's text. */
export interface SmtpReply {
  readonly stage: Stage
  /** The reply code with the enhanced status code (RFC 3463), if the server gave one. Without a reply: nodemailer's code. */
  readonly codes: string
}

/**
 * Replies that refuse us and not the mail, although they answer a command about the mail: "authentication required" and its
 * kin (RFC 4954 §6), the class of security or policy (RFC 3463 §3.8), which includes `relaying denied`, a refused sender
 * (§3.2), and a name that EHLO gave. Relays such as Postfix judge name and sender only with the recipient.
 */
const ABOUT_US = /^(?:530|534|535|538|504|50[0-3][ -]5\.5\.\d|5\d\d[ -](?:5\.7\.|5\.1\.[78]\b))/m
const ABOUT_OUR_NAME = /\b(?:helo|ehlo)\b/i
const ABOUT_OUR_SENDER = /\bsender (?:address )?(?:rejected|refused|denied|unknown|verif|not )/i
const ABOUT_RELAYING = /\brelay(?:ing)?\b[^.]*\b(?:denied|prohibited|rejected|disallowed|not )/i
const ABOUT_ENCRYPTION = /\bSTARTTLS\b/i

/** @param error of nodemailer, or of the login by token. */
export function smtpReply(error: unknown): SmtpReply {
  if (error instanceof TokenUnavailable) return { stage: 'token', codes: error.reply }
  return replyOf(Failure.parse(error))
}

function textOf({ stage, codes }: SmtpReply): string {
  return `smtp ${stage} ${codes}`
}

/** Whether the reply to a command about the mail refuses this service, and would refuse every other mail too. */
export function refusesUs(error: unknown): boolean {
  const { response } = Failure.parse(error)
  // The server's text may quote any address.
  const text = response.replace(/<[^>]*>|\S*@\S*/g, '')
  return [ABOUT_OUR_NAME, ABOUT_OUR_SENDER, ABOUT_RELAYING, ABOUT_ENCRYPTION].some((kind) => kind.test(text))
    ? true
    : ABOUT_US.test(response)
}

/**
 * Translates a failed attempt into the application's terms. A mail is refused for good only if the server refuses this
 * recipient or this content. A fault on our side (connection, login, sender) can be repaired, and the mail sent later.
 * The outcome is unknown if the server asked for the content and never answered (RFC 5321 §4.5.4.1). nodemailer's error
 * is not passed on as `cause`: it quotes the server, which quotes the recipient.
 */
export function smtpFailure(error: unknown, contentWasAskedFor: boolean): MailRefused | MailUnavailable {
  const given = smtpReply(error)
  const reply = textOf(given)
  if (error instanceof TokenUnavailable) {
    return new MailUnavailable(`The token endpoint issued no token (${given.codes})`, { reply })
  }
  const { code, responseCode, permanent } = Failure.parse(error)
  const details = responseCode === undefined ? code : `${code}, ${given.codes}`
  if (permanent && ['RCPT', 'DATA'].includes(given.stage) && !refusesUs(error)) {
    if (given.stage === 'RCPT' && refusesMailbox(error)) {
      return new RecipientSuppressed(`The SMTP server knows no such mailbox (${details})`, { reply })
    }
    return new MailRefused(`The SMTP server refused the mail (${details})`, { reply })
  }
  if (contentWasAskedFor && responseCode === undefined) {
    return new MailOutcomeUnknown(`The SMTP server may have taken the mail (${details})`, { reply })
  }
  return new MailUnavailable(`The SMTP server did not take the mail (${details})`, { reply })
}

/**
 * Whether the reply to RCPT says that the address takes no mail. All its lines have to agree (RFC 2034 §4). A reply without a code
 * says too little: a relay's own mistake is a bare 550 as well.
 */
function refusesMailbox(error: unknown): boolean {
  const statuses = statusesOf(Failure.parse(error))
  return statuses.length > 0 && statuses.every(MailStatus.refusesMailbox)
}

/** The enhanced status codes of a reply, one a line at most. */
function statusesOf({ response }: Failure): string[] {
  return Array.from(response.matchAll(/^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/gm), ([, status]) => status!)
}

function replyOf(failure: Failure): SmtpReply {
  const { code, responseCode } = failure
  const [status] = statusesOf(failure)
  const codes = responseCode === undefined ? code : [responseCode, status].filter(Boolean).join(' ')
  return { stage: stageOf(failure), codes }
}

function stageOf({ code, originalCode, command, response }: Failure): Stage {
  if (code === 'ETLS' || /CERT|SIGNATURE|TLS|SSL/.test(originalCode)) return 'TLS'
  const text = response.replace(/<[^>]*>|\S*@\S*/g, '')
  if (ABOUT_ENCRYPTION.test(text)) return 'TLS'
  if (ABOUT_OUR_NAME.test(text)) return 'EHLO'
  if (ABOUT_OUR_SENDER.test(text)) return 'MAIL'
  if (code === 'EAUTH') return 'AUTH'
  const verb = command.split(' ')[0] ?? ''
  if (verb === 'HELO') return 'EHLO'
  return STAGES.find((stage) => stage === verb) ?? 'connection'
}
