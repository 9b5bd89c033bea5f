import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import type { DeliverySignal } from '../application/ports/delivery-signal.ts'
import type { MailTransport } from '../application/ports/mail-transport.ts'
import type { Keys } from '../config/formats.ts'
import type { Config } from '../config/read-config.ts'
import type { HealthCheck } from '../contracts/health-check.ts'
import type { WebhookSigner } from '../contracts/webhook-signer.ts'
import type { RequestCount } from '../contracts/workload.ts'
import type { Development } from '../development/development.ts'

/** The parts of the service that come from outside the composition. */
export interface CompositionOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly logger: Logger
  /** The id of the process in traces. */
  readonly instanceId: string
  /** The deliverer, which runs on another thread. */
  readonly deliverer: DeliverySignal & HealthCheck
  /** Counts the requests in progress, for the deliverer. */
  readonly requests: RequestCount
  /** Stand-ins for missing configuration. Undefined in production, where the configuration is complete. */
  readonly development?: Development | undefined
  /** Further routes at the service's origin, as behind a gateway. They are not part of its API. */
  readonly extraRouter?: Router | undefined
}

/** The part of the configuration that the delivery of mails needs. It has no key that signs, and no credential of a caller. */
export interface DeliveryConfig
  extends Pick<
    Config,
    | 'mail'
    | 'bounces'
    | 'letter'
    | 'brands'
    | 'report'
    | 'policy'
    | 'tracing'
    | 'unsealedUntil'
    | 'databaseSharding'
  > {
  readonly otpKeys: Keys
  /** To which addresses events may be sent. */
  readonly webhookDestinations: Config['webhooks']['destinations']
}

/** The parts of the delivery that come from outside the composition. */
export interface DeliveryOptions {
  readonly config: DeliveryConfig
  readonly databaseUrl: string
  readonly logger: Logger
  readonly instanceId: string
  readonly requests: RequestCount
  /** Signs events, with the key that this thread does not get. */
  readonly webhookSigner: WebhookSigner
  /** Creates the mailbox of development, if no mail system is configured. */
  readonly mailbox?: CreateMailbox | undefined
}

/** The mailbox reports bounces to the use case, as the Postmark webhook does in production. */
export type CreateMailbox = (
  recordMailEvent: Pick<RecordMailEvent, 'execute'>,
  logger: Logger,
) => MailTransport

/** @throws {Error} in production. That is a bug, because an incomplete configuration does not start in production. */
export function standIns({ development }: Pick<CompositionOptions, 'development'>): Development {
  if (!development) throw new Error('an incomplete configuration needs the stand-ins of development')
  return development
}
