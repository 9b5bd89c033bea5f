import type { DeliveryConfig } from '../composition/composition-options.ts'
import type { Config } from '../config/read-config.ts'
import type { SignedDelivery } from '../contracts/webhook-signer.ts'
import type { RequestCount } from '../contracts/workload.ts'

/** What a mail thread needs to know, in values that can be copied to another thread. A `URL` cannot. */
export interface MailThreadSettings {
  readonly config: MailThreadConfig
  readonly databaseUrl: string
  readonly instanceId: string
  readonly requests: RequestCount
}

interface MailThreadConfig
  extends Omit<DeliveryConfig, 'tracing'>,
    Pick<Config, 'production' | 'logLevel' | 'dataDir'> {
  readonly tracing:
    | (Omit<NonNullable<Config['tracing']>, 'endpoint'> & { readonly endpoint: string })
    | undefined
}

/** What the thread that answers requests asks of the mail thread. */
export interface MailThreadCalls {
  /** Assembles the delivery, and begins to take notices. Rejects if a mail system, a template, a language or a port is unusable. */
  prepare(settings: MailThreadSettings): Promise<void>
  /** Begins to deliver. */
  start(): void
  wake(issuanceId: string): void
  problem(): Promise<string | undefined>
  /** The metrics of the thread, in the form that prom-client aggregates. */
  metrics(): Promise<readonly object[]>
  /** Begins no more mails, takes no more notices, and resolves when those in progress are done. */
  finish(): Promise<void>
  /** Closes all connections. The thread ends afterwards. */
  close(): Promise<void>
}

/** What the mail thread asks of the thread that answers requests. */
export interface MailThreadRequests {
  /** The signature of a delivery of an event, with the key that the mail thread does not have. */
  sign(delivery: SignedDelivery): Promise<string>
}
