import { promisify } from 'node:util'
import SMTPConnection, {
  type SMTPConnectionCustomAuthContext,
  type SMTPConnectionCustomAuthResponse,
} from 'nodemailer/lib/smtp-connection'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { type SmtpConnection, smtpConnection } from './smtp-connection.ts'
import { refusesUs, smtpReply } from './smtp-failure.ts'
import type { SmtpOptions } from './smtp-options.ts'
import { smtpRemedy } from './smtp-remedies.ts'
import { type SmtpSender, smtpSender } from './smtp-sender.ts'

const TIMEOUT_IN_MS = 4000
/** The name of a "login" that asks about the sender: its handler may send any command. */
const ENVELOPE = 'ENVELOPE'
/** A bounce address of this form proves nothing, and looks like the others to the server. */
const NO_ISSUANCE = '00000000-0000-0000-0000-000000000000'

/**
 * Connects to the SMTP server, starts TLS and logs in. Then names the sender, and the sender again as recipient, because many
 * relays judge EHLO and sender only with the recipient. Sends no mail: it never asks to send a content.
 */
export class SmtpCheck implements DiagnosticCheck {
  readonly name = 'mail-smtp'
  readonly #options: SmtpOptions

  constructor(options: SmtpOptions) {
    this.#options = options
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { from, timeoutInMs = TIMEOUT_IN_MS } = this.#options
    const sender = readable(() => smtpSender(from), 'MAIL_FROM')
    const domain = 'level' in sender ? '' : sender.domain
    const server = readable(
      () => smtpConnection(this.#options, { name: '', address: '', domain }),
      'SMTP_URL',
    )
    if ('level' in server || 'level' in sender) {
      if ('level' in server) yield server
      if ('level' in sender) yield sender
      return
    }

    try {
      await examine(server, sender, this.#options.bounceAddresses?.of(NO_ISSUANCE), timeoutInMs)
      const wire = server.secure || server.requireTLS ? 'over TLS' : 'without TLS, on this machine'
      const login = server.auth ? 'it accepts the login' : 'without a login'
      const name = server.name === undefined ? '' : `; EHLO names ${server.name}`
      yield CheckResult.ok(
        'mail-smtp',
        `${server.host} answers ${wire}, ${login}${name}; the sender is at ${sender.domain}`,
      )
    } catch (error) {
      const reply = smtpReply(error)
      yield CheckResult.failed(
        'mail-smtp',
        `${server.host} cannot be used (${reply.stage}: ${reply.codes})`,
        smtpRemedy(reply),
      )
    }
  }
}

/** @throws the error of nodemailer, or a refusal in the same form. */
async function examine(
  server: SmtpConnection,
  sender: SmtpSender,
  bounceAddress: string | undefined,
  timeoutInMs: number,
): Promise<void> {
  let refusal: Error | undefined
  const connection = new SMTPConnection({
    ...server,
    connectionTimeout: timeoutInMs,
    greetingTimeout: timeoutInMs,
    socketTimeout: timeoutInMs,
    customAuth: {
      ...server.customAuth,
      [ENVELOPE]: async ({ sendCommand }) => {
        refusal = await refusalOfEnvelope(sendCommand, bounceAddress ?? sender.address, sender.address)
      },
    },
  })
  const lost = new Promise<never>((_, reject) => {
    connection.once('error', reject)
    connection.once('end', () => reject(new Error('The server closed the connection')))
  })
  const conversation = async () => {
    await promisify(connection.connect.bind(connection))()
    const login = promisify(connection.login.bind(connection))
    if (server.auth && connection.allowsAuth) await login(server.auth)
    await login({ method: ENVELOPE })
  }
  try {
    await Promise.race([conversation(), lost])
    if (refusal) throw refusal
    connection.quit()
  } finally {
    lost.catch(() => {})
    connection.close()
  }
}

async function refusalOfEnvelope(
  sendCommand: SMTPConnectionCustomAuthContext['sendCommand'],
  from: string,
  to: string,
): Promise<Error | undefined> {
  const ask = async (command: string, parameter: string) => {
    const answer = await sendCommand(`${command}:<${parameter}>`)
    return answer.status < 400 ? undefined : refusalOf(command, answer)
  }
  const refusal = (await ask('MAIL FROM', from)) ?? (await ask('RCPT TO', to))
  await sendCommand('RSET')
  // A sender that takes no mail itself is no fault.
  return refusal?.command === 'RCPT TO' && !refusesUs(refusal) ? undefined : refusal
}

/** In the form of nodemailer's errors. */
function refusalOf(command: string, { status, response }: SMTPConnectionCustomAuthResponse) {
  return Object.assign(new Error('refused'), {
    code: 'EENVELOPE',
    command,
    response,
    responseCode: status,
    permanent: status >= 500,
  })
}

function readable<Read extends object>(read: () => Read, variable: string): Read | CheckResult {
  try {
    return read()
  } catch (error) {
    return CheckResult.failed('mail-smtp', `${variable} cannot be used`, (error as Error).message)
  }
}
