import { createTransport } from 'nodemailer'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { Failure } from './smtp-failure.ts'
import type { SmtpOptions } from './smtp-mail-transport.ts'
import { smtpSender } from './smtp-sender.ts'
import { smtpServer } from './smtp-server.ts'

const TIMEOUT_IN_MS = 4000

const CHECK_REACH =
  'Check host and port in SMTP_URL, and that this machine can reach it (many networks block 25, 465 and 587)'
const REMEDIES: Readonly<Record<string, string>> = {
  EAUTH: 'Check user and password in SMTP_URL: both must be percent-encoded, % itself as %25',
  ETLS: 'The server must offer STARTTLS with a certificate that verifies; NODE_EXTRA_CA_CERTS trusts a private authority, smtps:// is TLS from the start',
}

/** Connects to the SMTP server, starts TLS and logs in. Sends nothing. */
export class SmtpCheck implements DiagnosticCheck {
  readonly name = 'mail-smtp'
  readonly #options: SmtpOptions

  constructor(options: SmtpOptions) {
    this.#options = options
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { url, from, timeoutInMs = TIMEOUT_IN_MS } = this.#options
    const server = readable(() => smtpServer(url), 'SMTP_URL')
    const sender = readable(() => smtpSender(from), 'MAIL_FROM')
    if ('level' in server || 'level' in sender) {
      if ('level' in server) yield server
      if ('level' in sender) yield sender
      return
    }

    const mailer = createTransport({
      ...server,
      connectionTimeout: timeoutInMs,
      greetingTimeout: timeoutInMs,
      socketTimeout: timeoutInMs,
    })
    try {
      await mailer.verify()
      const wire = server.secure || server.requireTLS ? 'over TLS' : 'without TLS, on this machine'
      const login = server.auth ? 'it accepts the login' : 'without a login'
      yield CheckResult.ok(
        'mail-smtp',
        `${server.host} answers ${wire}, ${login}; the sender is at ${sender.domain}`,
      )
    } catch (error) {
      const { code, responseCode } = Failure.parse(error)
      const answer = responseCode === undefined ? code : `${code}, ${responseCode}`
      yield CheckResult.failed(
        'mail-smtp',
        `${server.host} cannot be used (${answer})`,
        REMEDIES[code] ?? CHECK_REACH,
      )
    } finally {
      mailer.close()
    }
  }
}

function readable<Read extends object>(read: () => Read, variable: string): Read | CheckResult {
  try {
    return read()
  } catch (error) {
    return CheckResult.failed('mail-smtp', `${variable} cannot be used`, (error as Error).message)
  }
}
