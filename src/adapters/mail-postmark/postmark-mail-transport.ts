import { Errors, Models, ServerClient } from 'postmark'
import { z } from 'zod'
import {
  type MailReceipt,
  MailRefused,
  type MailTransport,
  MailUnavailable,
  soleRecipient,
} from '../../application/ports/mail-transport.ts'
import type { MailMessage } from '../../application/ports/otp-mail-composer.ts'

export interface PostmarkOptions {
  readonly serverToken: string
  /** `https://api.postmarkapp.com`; plain HTTP on this machine only, for the token travels with every mail. */
  readonly apiUrl: string
  /** A stream of its own keeps complaints about other mails from suppressing codes. */
  readonly messageStream: string
  readonly from: string
  /** A mail that Postmark has not taken over by then is given up; see the promise of the port. */
  readonly timeoutInMs?: number
}

const TIMEOUT_IN_MS = 9000
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Error codes that are about this one mail: invalid request, inactive recipient. All others are about the token,
 * the sender, the account or the service, and the same mail goes out once that is repaired.
 */
const REFUSALS: readonly unknown[] = [300, 406]

/** The SDK resolves with whatever a 2xx answer holds: a mail is taken over only if this is what it says. */
const TakenOver = z.object({ ErrorCode: z.literal(0), MessageID: z.string().min(1) })

/** Hands mails to Postmark's e-mail API. It knows no idempotency: a mail without an answer may have gone out. */
export class PostmarkMailTransport implements MailTransport {
  readonly #client: ServerClient
  readonly #from: string
  readonly #messageStream: string
  #closed = false

  /** @throws {TypeError} if `apiUrl` cannot be used. */
  constructor({ serverToken, apiUrl, messageStream, from, timeoutInMs = TIMEOUT_IN_MS }: PostmarkOptions) {
    this.#client = new ServerClient(serverToken, { ...apiOf(apiUrl), fetch: once(timeoutInMs) })
    this.#from = from
    this.#messageStream = messageStream
  }

  async send({ issuanceId, to, subject, text, html }: MailMessage): Promise<MailReceipt> {
    if (this.#closed) throw new MailUnavailable('The transport is closed')
    const recipient = soleRecipient(to)
    const answer = await this.#client
      .sendEmail({
        From: this.#from,
        To: recipient,
        Subject: subject,
        TextBody: text,
        HtmlBody: html,
        MessageStream: this.#messageStream,
        // Said with every mail, because the settings of the server may say otherwise.
        TrackOpens: false,
        TrackLinks: Models.LinkTrackingOptions.None,
        Tag: 'otp',
        Metadata: { issuance: issuanceId },
        Headers: [
          // RFC 3834 §5; the second is what Exchange goes by.
          { Name: 'Auto-Submitted', Value: 'auto-generated' },
          { Name: 'X-Auto-Response-Suppress', Value: 'All' },
        ],
      })
      .catch((error: unknown) => {
        throw error instanceof Errors.PostmarkError
          ? failure(error.statusCode, error.code)
          : new MailUnavailable('Postmark gave no answer that can be read')
      })
    const takenOver = TakenOver.safeParse(answer)
    if (!takenOver.success) throw failure(200, (answer as { ErrorCode?: unknown } | null)?.ErrorCode)
    return { messageId: takenOver.data.MessageID }
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}

function apiOf(apiUrl: string) {
  const { protocol, hostname, host, pathname } = new URL(apiUrl)
  const useHttps = protocol === 'https:'
  if (!useHttps && !(protocol === 'http:' && LOOPBACK.test(hostname))) {
    throw new TypeError('The URL of the Postmark API must be https://, unless it is on this machine')
  }
  return { useHttps, requestHost: `${host}${pathname.replace(/\/$/, '')}` }
}

/**
 * One request, and no other where an answer points: fetch would follow a redirect with the server token, and after
 * a 307 with the whole mail. A redirect that is not followed is an answer that is not 2xx. The time-out is ours
 * because the SDK counts in seconds.
 */
function once(timeoutInMs: number): Models.ClientOptions.FetchImplementation {
  return (input, init) =>
    fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutInMs) })
}

/** Says numbers only: the messages of the SDK hold addresses, and an ill-formed token whole. */
function failure(statusCode: number, errorCode: unknown): MailRefused | MailUnavailable {
  if (statusCode === 0) return new MailUnavailable('Postmark cannot be reached, or not in time')
  const details = `HTTP ${statusCode}, ErrorCode ${Number.isInteger(errorCode) ? errorCode : 'missing'}`
  return REFUSALS.includes(errorCode)
    ? new MailRefused(`Postmark refused the mail (${details})`)
    : new MailUnavailable(`Postmark did not take the mail (${details})`)
}
