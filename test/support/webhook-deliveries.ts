import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { EddsaChallengeSigner } from '../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { EddsaWebhookSigner } from '../../src/adapters/signing-eddsa/eddsa-webhook-signer.ts'
import {
  HttpWebhookTransport,
  type WebhookOptions,
} from '../../src/adapters/webhook-http/http-webhook-transport.ts'
import { HkdfWebhookSecrets } from '../../src/adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import type { ServiceEvent } from '../../src/domain/service-event.ts'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'

const SIGNING_KEY = { id: 's1', bytes: randomBytes(32) }
export const secrets = new HkdfWebhookSecrets([{ id: 'k1', bytes: randomBytes(32) }])
export const publicKeys = new EddsaChallengeSigner([SIGNING_KEY]).publicKeys()

export const EVENT: ServiceEvent = {
  id: '018f2f4c-6a5b-7c3d-8e9f-0a1b2c3d4e5f',
  clientId: 'payments',
  challengeId: '9d4fbb2c-3c63-4b0f-9a3c-0f6f2a1b7c5d',
  subjectUserId: 'alice',
  position: 42,
  type: 'otp-rejected',
  at: new Date('2026-03-01T12:00:00.000Z'),
  details: { attemptsRemaining: 2 },
}

/** May reach this machine alone, unless `options` say otherwise. */
export function transport(options: Partial<WebhookOptions> = {}): HttpWebhookTransport {
  return new HttpWebhookTransport(
    secrets,
    new EddsaWebhookSigner([SIGNING_KEY]),
    { now: () => new Date() },
    {
      allowedNetworks: ['127.0.0.0/8', '::1'],
      allowsPublic: false,
      ...options,
    },
  )
}

export function endpointAt(url: string, clientId = EVENT.clientId): WebhookEndpoint {
  return { clientId, url, secrets: [secrets.newOrigin()], pausedAt: undefined, registeredBy: 'service' }
}

export interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An endpoint that keeps what it gets, and answers with `status`. */
export async function receiver(
  t: ExecutionContext,
  answer: RequestListener = (_, response) => void response.writeHead(204).end(),
): Promise<{ url: string; received: Received[]; server: Server }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    received.push({
      method: request.method,
      path: request.url,
      headers: request.headers,
      body: await text(request),
    })
    answer(request, response)
  })
  return { url: await listen(t, server), received, server }
}

/** An endpoint that does with a connection as it likes, once a request has begun to arrive. */
export async function rawEndpoint(t: ExecutionContext, answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
}

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
}
