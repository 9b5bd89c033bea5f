import { Models, ServerClient } from 'postmark'
import { z } from 'zod'
import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  MailUnavailable,
  messageIdOf,
  soleRecipient,
} from '../../application/ports/mail-transport.ts'
import type { Sender } from '../../domain/brand.ts'
import { forSdk, postmarkFailure, postmarkRefusal } from './postmark-failure.ts'

export interface PostmarkOptions {
  readonly serverToken: string
  /** `https://api.postmarkapp.com`. Plain HTTP only on this machine, because every request carries the token. */
  readonly apiUrl: string
  /** A separate stream, so that complaints about other mails do not suppress codes. */
  readonly messageStream: string
  /** The sender of mails that have none of their own. */
  readonly from: string
  /** One mailbox that gets the answers to those mails. Undefined: the sender. */
  readonly replyTo?: string | undefined
  /** After this time the transport gives up on a mail that Postmark has not accepted, as the port promises. */
  readonly timeoutInMs?: number
}

const TIMEOUT_IN_MS = 9000
/** An answer is a few hundred bytes. */
const MAX_ANSWER_BYTES = 65_536
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** The SDK resolves with the body of any 2xx answer. Only this body means that Postmark accepted the mail. */
const TakenOver = z.object({ ErrorCode: z.literal(0), MessageID: z.string().min(1) })

/** Sends mails through Postmark's e-mail API, which has no idempotency keys: a mail without an answer may have gone out. */
export class PostmarkMailTransport implements MailTransport {
  readonly #client: ServerClient
  readonly #standard: Sender
  readonly #messageStream: string
  #closed = false

  /** @throws {TypeError} if `apiUrl` or `from` cannot be used. */
  constructor(options: PostmarkOptions) {
    const { serverToken, apiUrl, messageStream, from, replyTo, timeoutInMs = TIMEOUT_IN_MS } = options
    this.#client = new ServerClient(serverToken, { ...apiOf(apiUrl), fetch: once(timeoutInMs) })
    domainOf(from)
    this.#standard = { from, replyTo }
    this.#messageStream = messageStream
  }

  async send({ id, kind, sender, to, subject, text, html }: MailMessage): Promise<MailReceipt> {
    if (this.#closed) throw new MailUnavailable('The transport is closed')
    const recipient = soleRecipient(to)
    const { from, replyTo } = sender ?? this.#standard
    const answer = await this.#client
      .sendEmail({
        From: from,
        ...(replyTo !== undefined && { ReplyTo: replyTo }),
        To: recipient,
        Subject: subject,
        TextBody: text,
        HtmlBody: html,
        MessageStream: this.#messageStream,
        // Set on every mail, because the settings of the server may turn tracking on.
        TrackOpens: false,
        TrackLinks: Models.LinkTrackingOptions.None,
        Tag: kind,
        // A report finds its issuance by this metadata. Reports about notices are not stored.
        Metadata: kind === 'otp' ? { issuance: id } : { notice: id },
        Headers: [
          // RFC 3834 §5. Exchange obeys the second.
          { Name: 'Auto-Submitted', Value: 'auto-generated' },
          { Name: 'X-Auto-Response-Suppress', Value: 'All' },
          // Without the second, Postmark replaces the first by a message id of its own.
          { Name: 'Message-ID', Value: messageIdOf(id, domainOf(from)) },
          { Name: 'X-PM-KeepID', Value: 'true' },
        ],
      })
      .catch((error: unknown) => {
        throw postmarkFailure(error)
      })
    const takenOver = TakenOver.safeParse(answer)
    if (!takenOver.success) throw postmarkRefusal(answer)
    return { transport: 'postmark', messageId: takenOver.data.MessageID }
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

export function apiOf(apiUrl: string) {
  const { protocol, hostname, host, pathname } = new URL(apiUrl)
  const useHttps = protocol === 'https:'
  if (!useHttps && !(protocol === 'http:' && LOOPBACK.test(hostname))) {
    throw new TypeError('The URL of the Postmark API must be https://, unless it is on this machine')
  }
  return { useHttps, requestHost: `${host}${pathname.replace(/\/$/, '')}` }
}

function domainOf(from: string): string {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1]
  if (!domain)
    throw new TypeError('The sender must be one mailbox, as in Countersign <no-reply@bank.example>')
  return domain
}

/**
 * Sends one request and follows no redirect: a redirect would carry the server token elsewhere, and after a 307 the
 * whole mail. The SDK treats the redirect as an answer that is not 2xx. We set the time-out, because the SDK counts in
 * seconds.
 */
export function once(timeoutInMs: number): Models.ClientOptions.FetchImplementation {
  return async (input, init) => {
    try {
      const signal = AbortSignal.timeout(timeoutInMs)
      return bounded(await fetch(input, { ...init, redirect: 'manual', signal }))
    } catch (error) {
      throw forSdk(error)
    }
  }
}

/** Ends the answer with an error once it is too long: an endless answer would exhaust the memory before the time-out. */
function bounded({ body, status, headers }: Response): Response {
  let left = MAX_ANSWER_BYTES
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.byteLength
      if (left < 0) controller.error(new Error('The answer is too long'))
      else controller.enqueue(chunk)
    },
  })
  return new Response(body?.pipeThrough(limit) ?? null, { status, headers })
}
