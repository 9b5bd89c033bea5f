import { Errors, ServerClient } from 'postmark'
import { z } from 'zod'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { apiOf, once, type PostmarkOptions } from './postmark-mail-transport.ts'

const TIMEOUT_IN_MS = 4000

const Server = z.object({ DeliveryType: z.string().optional() })
const MessageStream = z.object({ MessageStreamType: z.string(), ArchivedAt: z.string().nullish() })

/** Asks Postmark about the server of the token and about the message stream, and sends nothing. */
export class PostmarkCheck implements DiagnosticCheck {
  readonly name = 'mail-postmark'
  readonly #options: PostmarkOptions
  readonly #hearsReports: boolean

  /** @param hearsReports whether there is a webhook for Postmark to report to. */
  constructor(options: PostmarkOptions, hearsReports: boolean) {
    this.#options = options
    this.#hearsReports = hearsReports
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { serverToken, apiUrl, messageStream, timeoutInMs = TIMEOUT_IN_MS } = this.#options
    const client = new ServerClient(serverToken, { ...apiOf(apiUrl), fetch: once(timeoutInMs) })
    const { host } = new URL(apiUrl)
    try {
      const { DeliveryType: type } = Server.parse(await client.getServer())
      yield type === 'Sandbox'
        ? CheckResult.failed(
            'mail-postmark',
            'the token is that of a sandbox server, which sends nothing',
            'Set POSTMARK_SERVER_TOKEN to the token of a live server',
          )
        : CheckResult.ok('mail-postmark', `${host} knows the server of the token`)
    } catch (error) {
      yield CheckResult.failed(
        'mail-postmark',
        `${host} cannot be used (${answerOf(error)})`,
        remedyOf(error),
      )
      return
    }

    try {
      const stream = MessageStream.parse(await client.getMessageStream(messageStream))
      yield streamResult(stream)
    } catch (error) {
      yield CheckResult.failed(
        'mail-stream',
        `the message stream cannot be used (${answerOf(error)})`,
        'Set POSTMARK_MESSAGE_STREAM to the id of a transactional stream of this server',
      )
    }

    yield this.#hearsReports
      ? CheckResult.ok('mail-reports', 'Postmark may report deliveries and bounces to /webhooks/postmark')
      : CheckResult.warning(
          'mail-reports',
          'nobody hears of deliveries and bounces',
          'Set POSTMARK_WEBHOOK_AUTH, and enter https://<user>:<password>@<this service>/webhooks/postmark at Postmark',
        )
  }
}

function streamResult({
  MessageStreamType: type,
  ArchivedAt: archivedAt,
}: z.infer<typeof MessageStream>): CheckResult {
  if (archivedAt)
    return CheckResult.failed(
      'mail-stream',
      'the message stream is archived and takes no mail',
      'Unarchive it at Postmark, or set POSTMARK_MESSAGE_STREAM to another one',
    )
  if (type !== 'Transactional')
    return CheckResult.failed(
      'mail-stream',
      `the message stream is not for transactional mail but ${type}`,
      'Set POSTMARK_MESSAGE_STREAM to a transactional stream',
    )
  return CheckResult.ok('mail-stream', 'the message stream takes transactional mail')
}

/** Numbers only: messages of the SDK may hold what was sent, the token included. */
function answerOf(error: unknown): string {
  if (!(error instanceof Errors.PostmarkError)) return 'an answer that cannot be read'
  return error.statusCode === 0 ? 'no answer' : `HTTP ${error.statusCode}, ErrorCode ${error.code}`
}

function remedyOf(error: unknown): string {
  return error instanceof Errors.PostmarkError && error.statusCode === 401
    ? 'Set POSTMARK_SERVER_TOKEN to an API token of the server (not of the account)'
    : 'Check POSTMARK_API_URL, and that this machine may reach it'
}
