import { Errors, ServerClient } from 'postmark'
import { z } from 'zod'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { apiOf, once, type PostmarkOptions } from './postmark-mail-transport.ts'

const TIMEOUT_IN_MS = 4000

const Server = z.object({ DeliveryType: z.string().optional() })
const MessageStream = z.object({ MessageStreamType: z.string(), ArchivedAt: z.string().nullish() })

/** Asks Postmark for the server of the token and for the message stream. Sends nothing. */
export class PostmarkCheck implements DiagnosticCheck {
  readonly name = 'mail-postmark'
  readonly #options: PostmarkOptions
  readonly #hasWebhook: boolean

  /** @param hasWebhook whether Postmark can report to this service. */
  constructor(options: PostmarkOptions, hasWebhook: boolean) {
    this.#options = options
    this.#hasWebhook = hasWebhook
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
            'the token belongs to a sandbox server, which sends nothing',
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

    yield this.#hasWebhook
      ? CheckResult.ok('mail-reports', 'Postmark may report deliveries and bounces to /webhooks/postmark')
      : CheckResult.warning(
          'mail-reports',
          'Postmark cannot report deliveries and bounces',
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
      'the message stream is archived and accepts no mail',
      'Unarchive it at Postmark, or set POSTMARK_MESSAGE_STREAM to another one',
    )
  if (type !== 'Transactional')
    return CheckResult.failed(
      'mail-stream',
      `the message stream is for ${type} mail, not for transactional mail`,
      'Set POSTMARK_MESSAGE_STREAM to a transactional stream',
    )
  return CheckResult.ok('mail-stream', 'the message stream accepts transactional mail')
}

/** Numbers only: the SDK's messages may quote the request, including the token. */
function answerOf(error: unknown): string {
  if (!(error instanceof Errors.PostmarkError)) return 'an unreadable answer'
  return error.statusCode === 0 ? 'no answer' : `HTTP ${error.statusCode}, ErrorCode ${error.code}`
}

function remedyOf(error: unknown): string {
  return error instanceof Errors.PostmarkError && error.statusCode === 401
    ? 'Set POSTMARK_SERVER_TOKEN to an API token of the server (not of the account)'
    : 'Check POSTMARK_API_URL, and that this machine can reach it'
}
