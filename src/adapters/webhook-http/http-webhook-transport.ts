import { createHmac } from 'node:crypto'
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import type { Clock } from '../../application/ports/clock.ts'
import { WebhookSecretLost, type WebhookSecrets } from '../../application/ports/webhook-secrets.ts'
import type {
  WebhookRefusal,
  WebhookReply,
  WebhookTransport,
} from '../../application/ports/webhook-transport.ts'
import { cloudEventOf } from '../../contracts/cloud-event.ts'
import { type SignedDelivery, signedContentOf, type WebhookSigner } from '../../contracts/webhook-signer.ts'
import type { ServiceEvent } from '../../domain/service-event.ts'
import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'
import { AddressGuard, type GuardOptions } from './address-guard.ts'
import { EndpointAgents } from './endpoint-agents.ts'
import { EndpointNames } from './endpoint-names.ts'
import { retryAfterOf } from './retry-after.ts'

export interface WebhookOptions extends GuardOptions {
  /** Name servers for the names of endpoints. Undefined: those of the operating system. */
  readonly nameServers?: readonly string[] | undefined
  /** The connection has to stand within this time, TLS included. */
  readonly connectTimeoutInMs?: number
  /** The head of the answer has to be here within this time. */
  readonly timeoutInMs?: number
}

const CONNECT_TIMEOUT_IN_MS = 5000
/** What Standard Webhooks recommends at least. */
const TIMEOUT_IN_MS = 15_000
/** The status decides. The body is read only so that the connection can be used again. */
const DRAIN_TIMEOUT_IN_MS = 1000
const MAX_ANSWER_BYTES = 65_536
const MAX_HEAD_BYTES = 16_384
/** Answers such as 103 that come before the one that counts. A server may send any number, and to read them costs time of the mails. */
const MAX_INTERIM_ANSWERS = 100
const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8'

class ForbiddenAddress extends Error {}
class Late extends Error {}
class Endless extends Error {}
/** The endpoint closed the connection, which was idle before, while the request was on its way. */
class Stale extends Error {}

/** Posts each event in the JSON format of CloudEvents 1.0, signed by Standard Webhooks with every secret of the endpoint and with our key. */
export class HttpWebhookTransport implements WebhookTransport {
  readonly #secrets: WebhookSecrets
  readonly #signer: WebhookSigner
  readonly #clock: Clock
  readonly #guard: AddressGuard
  readonly #names: EndpointNames
  readonly #agents = new EndpointAgents()
  readonly #connectTimeoutInMs: number
  readonly #timeoutInMs: number

  constructor(secrets: WebhookSecrets, signer: WebhookSigner, clock: Clock, options: WebhookOptions) {
    this.#secrets = secrets
    this.#signer = signer
    this.#clock = clock
    this.#guard = new AddressGuard(options)
    this.#names = new EndpointNames(options.nameServers)
    this.#connectTimeoutInMs = options.connectTimeoutInMs ?? CONNECT_TIMEOUT_IN_MS
    this.#timeoutInMs = options.timeoutInMs ?? TIMEOUT_IN_MS
  }

  async send(endpoint: WebhookEndpoint, event: ServiceEvent): Promise<WebhookReply> {
    const url = new URL(endpoint.url ?? '')
    const delivery = {
      id: event.id,
      timestamp: Math.floor(this.#clock.now().getTime() / 1000),
      body: JSON.stringify(cloudEventOf(event)),
    }
    const signatures = await this.#signaturesOf(endpoint, delivery)
    const deadline = performance.now() + this.#timeoutInMs
    const post = () => this.#post(endpoint.clientId, url, delivery, signatures, deadline)
    try {
      return this.#replyOf(
        await post().catch((error) => (error instanceof Stale ? post() : Promise.reject(error))),
      )
    } catch (error) {
      return { outcome: 'refused', reason: reasonOf(error) }
    }
  }

  async #signaturesOf({ clientId, secrets }: WebhookEndpoint, delivery: SignedDelivery): Promise<string> {
    const content = signedContentOf(delivery)
    const symmetric = secrets.flatMap((origin) => {
      try {
        return [hmacOf(this.#secrets.secretOf(clientId, origin), content)]
      } catch (error) {
        // The other signatures still prove the sender, and `doctor` names the endpoint.
        if (error instanceof WebhookSecretLost) return []
        throw error
      }
    })
    return [...symmetric, await this.#signer.sign(delivery)].join(' ')
  }

  #post(
    clientId: string,
    url: URL,
    { id, timestamp, body }: SignedDelivery,
    signatures: string,
    deadline: number,
  ): Promise<IncomingMessage> {
    return this.#answerTo(url, body, deadline, {
      agent: this.#agents.of(clientId, url.protocol),
      headers: {
        'Content-Type': CONTENT_TYPE,
        'Content-Length': Buffer.byteLength(body),
        'User-Agent': 'Countersign',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatures,
      },
    })
  }

  /** Rejects if no head of an answer arrived in time. */
  async #answerTo(
    url: URL,
    body: string,
    deadline: number,
    options: RequestOptions,
  ): Promise<IncomingMessage> {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const encrypted = url.protocol === 'https:'
    // Node looks up names alone.
    if (isIP(host) !== 0 && !this.#guard.allows(host, encrypted)) throw new ForbiddenAddress()
    const send = encrypted ? httpsRequest : httpRequest
    const request = send({
      ...options,
      method: 'POST',
      protocol: url.protocol,
      host,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      lookup: this.#lookup(encrypted),
      maxHeaderSize: MAX_HEAD_BYTES,
    })
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        clearTimeout(late)
        how()
      }
      const late = setTimeout(() => {
        reject(new Late())
        request.destroy()
      }, deadline - performance.now())
      limitConnecting(request, encrypted, this.#connectTimeoutInMs)
      request.on('response', (answer) => {
        drain(answer)
        settle(() => resolve(answer))
      })
      let interimAnswers = 0
      request.on('information', () => {
        interimAnswers += 1
        if (interimAnswers === MAX_INTERIM_ANSWERS) request.destroy(new Endless())
      })
      // Node then gives the connection away, and reports nothing more about the request.
      request.on('upgrade', (_, socket) => {
        socket.destroy()
        settle(() => reject(new Error('The endpoint wants another protocol')))
      })
      request.on('error', (error) => settle(() => reject(isStale(request, error) ? new Stale() : error)))
      request.end(body)
    })
  }

  /** Connections go to the addresses that were checked: nothing looks the name up a second time. */
  #lookup(encrypted: boolean): LookupFunction {
    return (name, { all }, done) => {
      this.#names.addressesOf(name).then(
        (addresses) => {
          const allowed = addresses.filter(({ address }) => this.#guard.allows(address, encrypted))
          const [first] = allowed
          if (!first) done(new ForbiddenAddress(), '')
          else if (all) done(null, allowed)
          else done(null, first.address, first.family)
        },
        (error) => done(error, ''),
      )
    }
  }

  #replyOf({ statusCode: status = 0, headers }: IncomingMessage): WebhookReply {
    if (status >= 200 && status < 300) return { outcome: 'accepted' }
    const retryAfterSeconds = retryAfterOf(headers['retry-after'], this.#clock.now())
    const reason = status === 410 ? 'gone' : status >= 300 && status < 400 ? 'redirect' : 'status'
    return {
      outcome: 'refused',
      reason,
      status,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    }
  }
}

function hmacOf(secret: string, content: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

function isStale({ reusedSocket }: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

function limitConnecting(request: ClientRequest, encrypted: boolean, timeoutInMs: number): void {
  request.on('socket', (socket) => {
    if (request.reusedSocket) return
    const late = setTimeout(() => request.destroy(new Late()), timeoutInMs)
    socket.once(encrypted ? 'secureConnect' : 'connect', () => clearTimeout(late))
    request.once('close', () => clearTimeout(late))
  })
}

/** Reads the body to a small bound and drops it, without holding up the verdict. */
function drain(answer: IncomingMessage): void {
  let left = MAX_ANSWER_BYTES
  const late = setTimeout(() => answer.destroy(), DRAIN_TIMEOUT_IN_MS)
  answer.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength
    if (left < 0) answer.destroy()
  })
  // What follows the head changes nothing any more.
  answer.on('error', () => {})
  answer.on('close', () => clearTimeout(late))
}

function reasonOf(error: unknown): WebhookRefusal {
  if (error instanceof ForbiddenAddress) return 'forbidden-address'
  if (error instanceof Late) return 'timeout'
  if (error instanceof Endless) return 'unreadable'
  return /^HPE_/.test((error as NodeJS.ErrnoException).code ?? '') ? 'unreadable' : 'connection'
}
