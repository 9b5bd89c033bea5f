import { pino } from 'pino'
import { ServiceEventDeliverer } from '../../src/adapters/deliverer/service-event-deliverer.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaServiceEvents } from '../../src/adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { EddsaWebhookSigner } from '../../src/adapters/signing-eddsa/eddsa-webhook-signer.ts'
import { HttpWebhookTransport } from '../../src/adapters/webhook-http/http-webhook-transport.ts'
import { HkdfWebhookSecrets } from '../../src/adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import type { ServiceEvents } from '../../src/application/ports/service-events.ts'
import type { WebhookTransport } from '../../src/application/ports/webhook-transport.ts'
import { DeliverServiceEvents } from '../../src/application/service-events/deliver-service-events.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import type { ServiceEventType } from '../../src/domain/service-event.ts'

/* A process that delivers events, and kills itself at the step that it is told. */

/** The steps of a delivery, in their order. */
export type Step =
  | 'after the numbering'
  | 'before the claim'
  | 'after the claim'
  | 'before the post'
  | 'after the post'
  | 'before the record'
  | 'after the record'

export interface DelivererSettings {
  readonly databaseUrl: string
  /** Past the end of each lease that another process had. */
  readonly clockAheadInSeconds: number
  readonly diesAt?: { readonly step: Step; readonly type: ServiceEventType } | undefined
}

const { databaseUrl, clockAheadInSeconds, diesAt }: DelivererSettings = JSON.parse(process.argv[2]!)

function reach(step: Step, types: readonly ServiceEventType[]): void {
  if (step === diesAt?.step && types.includes(diesAt.type)) process.kill(process.pid, 'SIGKILL')
}

const { statements } = connectPrisma({ url: databaseUrl, onConnectionLost: () => {} })
const inPostgres = new PrismaServiceEvents(statements)
const clock = { now: () => secondsAfter(new Date(), clockAheadInSeconds) }

const events: ServiceEvents = {
  async number(limit) {
    const numbered = await inPostgres.number(limit)
    if (numbered > 0 && diesAt) reach('after the numbering', [diesAt.type])
    return numbered
  },
  async claim(...args) {
    if (diesAt) reach('before the claim', [diesAt.type])
    const claimed = await inPostgres.claim(...args)
    reach(
      'after the claim',
      claimed.map(({ event }) => event.type),
    )
    return claimed
  },
  async record(claimed, ...args) {
    reach('before the record', [claimed.event.type])
    const recorded = await inPostgres.record(claimed, ...args)
    reach('after the record', [claimed.event.type])
    return recorded
  },
  after: (...args) => inPostgres.after(...args),
  replay: (...args) => inPostgres.replay(...args),
}

const overHttp = new HttpWebhookTransport(
  new HkdfWebhookSecrets([{ id: 'k1', bytes: Buffer.alloc(32, 7) }]),
  new EddsaWebhookSigner([{ id: 's1', bytes: Buffer.alloc(32, 3) }]),
  { now: () => new Date() },
  { allowedNetworks: ['127.0.0.1'], allowsPublic: false },
)
const transport: WebhookTransport = {
  async send(endpoint, event) {
    reach('before the post', [event.type])
    const reply = await overHttp.send(endpoint, event)
    reach('after the post', [event.type])
    return reply
  },
}

const deliverer = new ServiceEventDeliverer(
  new DeliverServiceEvents(events, transport, clock),
  pino({ level: 'silent' }),
  { pollIntervalInMs: 20 },
)
deliverer.start()
process.send?.('running')
