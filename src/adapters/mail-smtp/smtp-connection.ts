import type { SMTPConnectionAuth, SMTPConnectionCustomAuthHandlers } from 'nodemailer/lib/smtp-connection'
import { AccessToken } from './client-credentials.ts'
import { ehloName } from './ehlo-name.ts'
import type { SmtpOptions } from './smtp-options.ts'
import type { SmtpSender } from './smtp-sender.ts'
import { type SmtpServer, smtpServer } from './smtp-server.ts'
import { xoauth2Login } from './xoauth2-login.ts'

/** The name of our own handler. Under the name XOAUTH2, nodemailer prefers a password login if the server offers one. */
const BY_TOKEN = 'XOAUTH2-BY-TOKEN'

/** How to connect and log in, in nodemailer's options. */
export interface SmtpConnection extends Omit<SmtpServer, 'auth'> {
  readonly name?: string
  readonly auth?: SMTPConnectionAuth
  readonly customAuth?: SMTPConnectionCustomAuthHandlers
}

/** @throws {TypeError} if the URL cannot be used. */
export function smtpConnection(options: SmtpOptions, sender: SmtpSender): SmtpConnection {
  const { auth, ...server } = smtpServer(options.url)
  const name = ehloName(options.ehloName, sender.domain)
  const common = { ...server, ...(name !== undefined && { name }) }
  if (options.oauth === undefined) return { ...common, ...(auth && { auth }) }

  if (auth === undefined) throw new TypeError('The SMTP URL must name the mailbox that the token is for')
  return {
    ...common,
    auth: { type: 'custom', method: BY_TOKEN, user: auth.user },
    customAuth: { [BY_TOKEN]: xoauth2Login(auth.user, new AccessToken(options.oauth)) },
  }
}
