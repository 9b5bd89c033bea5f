import { promisify } from 'node:util'
import SMTPConnection, {
  type SMTPConnectionCustomAuthContext,
  type SMTPConnectionCustomAuthResponse,
} from 'nodemailer/lib/smtp-connection'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import type { Sender } from '../../domain/brand.ts'
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
 * Connects to the SMTP server, starts TLS and logs in. Then names each sender, and the sender again as recipient, because many
 * relays judge EHLO and sender only with the recipient. Sends no mail: it never asks to send a content.
 */
export class SmtpCheck implements DiagnosticCheck {
  readonly name = 'mail-smtp'
  readonly #options: SmtpOptions
  readonly #others: readonly Sender[]

  /** @param others the senders of brands, each once. */
  constructor(options: SmtpOptions, others: readonly Sender[] = []) {
    this.#options = options
    this.#others = others
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
      await examine(server, this.#envelopes(sender), timeoutInMs)
      const wire = server.secure || server.requireTLS ? 'over TLS' : 'without TLS, on this machine'
      const login = server.auth ? 'it accepts the login' : 'without a login'
      const name = server.name === undefined ? '' : `; EHLO names ${server.name}`
      yield CheckResult.ok(
        'mail-smtp',
        `${server.host} answers ${wire}, ${login}${name}; the sender is at ${this.#domains(sender).join(', ')}`,
      )
    } catch (error) {
      const reply = smtpReply(error)
      const { brandDomain } = error as Partial<Refusal>
      const at = brandDomain === undefined ? '' : ` for the sender of a brand at ${brandDomain}`
      yield CheckResult.failed(
        'mail-smtp',
        `${server.host} cannot be used${at} (${reply.stage}: ${reply.codes})`,
        smtpRemedy(reply),
      )
    }
  }

  /** What the service says about each sender before a content: the first of `MAIL_FROM`, the others of brands. */
  #envelopes(standard: SmtpSender): readonly Envelope[] {
    const { bounceAddresses } = this.#options
    const brands = this.#others.map(({ from, bounceDomain }) => ({ ...smtpSender(from), bounceDomain }))
    return [{ ...standard, bounceDomain: undefined }, ...brands].map(
      ({ address, domain, bounceDomain }, index) => ({
        from: bounceAddresses?.of(NO_ISSUANCE, bounceDomain) ?? address,
        to: address,
        brandDomain: index === 0 ? undefined : domain,
      }),
    )
  }

  #domains({ domain }: SmtpSender): readonly string[] {
    return [...new Set([domain, ...this.#others.map(({ from }) => smtpSender(from).domain)])]
  }
}

/** A refusal in the form of nodemailer's errors. */
interface Refusal extends Error {
  readonly command: string
  /** The domain of the sender, unless it is that of most mails. */
  readonly brandDomain?: string | undefined
}

interface Envelope {
  readonly from: string
  readonly to: string
  readonly brandDomain: string | undefined
}

/** @throws the error of nodemailer, or a refusal in the same form. */
async function examine(
  server: SmtpConnection,
  envelopes: readonly Envelope[],
  timeoutInMs: number,
): Promise<void> {
  let refusal: Refusal | undefined
  const connection = new SMTPConnection({
    ...server,
    connectionTimeout: timeoutInMs,
    greetingTimeout: timeoutInMs,
    socketTimeout: timeoutInMs,
    customAuth: {
      ...server.customAuth,
      [ENVELOPE]: async ({ sendCommand }) => {
        for (const envelope of envelopes) refusal ??= await refusalOfEnvelope(sendCommand, envelope)
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
    // The conversation is over by now, well or not, and its result counts.
    lost.catch(() => {})
    connection.close()
  }
}

async function refusalOfEnvelope(
  sendCommand: SMTPConnectionCustomAuthContext['sendCommand'],
  { from, to, brandDomain }: Envelope,
): Promise<Refusal | undefined> {
  const ask = async (command: string, parameter: string) => {
    const answer = await sendCommand(`${command}:<${parameter}>`)
    return answer.status < 400 ? undefined : refusalOf(command, answer, brandDomain)
  }
  const refusal = (await ask('MAIL FROM', from)) ?? (await ask('RCPT TO', to))
  await sendCommand('RSET')
  // A sender that takes no mail itself is no fault.
  return refusal?.command === 'RCPT TO' && !refusesUs(refusal) ? undefined : refusal
}

function refusalOf(
  command: string,
  { status, response }: SMTPConnectionCustomAuthResponse,
  brandDomain: string | undefined,
): Refusal {
  return Object.assign(new Error('refused'), {
    code: 'EENVELOPE',
    command,
    brandDomain,
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
