import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { BounceIntake } from '../adapters/bounce-intake/bounce-intake.ts'
import type { Deliverer } from '../adapters/deliverer/deliverer.ts'
import type { IssuerKeys } from '../adapters/identity-jose/issuer-keys.ts'
import type { Connections } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'
import type { BounceAddresses } from '../contracts/bounce-addresses.ts'
import type { Brand } from '../domain/brand.ts'
import type { StepUpPolicy } from '../domain/step-up-policy.ts'
import type { WebhookNetworks } from '../domain/webhook-registration.ts'
import { key } from './bind-class.ts'

/** The log of the process. */
export const Log = key<Logger>('Logger')
/** The stores call it with each commit. */
export const Commits = key<CommitListener>('CommitListener')
/** Undefined if the configuration names no collector of traces. */
export const Traces = key<Tracing | undefined>('Tracing')
/** Unbound if the issuer is a stand-in, whose keys this process has. */
export const Issuer = key<IssuerKeys>('IssuerKeys')
/** The brands of the clients that have one of their own, by client id. */
export const Brands = key<ReadonlyMap<string, Brand>>('Brands')
export const Policy = key<StepUpPolicy>('StepUpPolicy')
/** The connections to the database, to be closed at the end. */
export const StorageConnections = key<Connections>('StorageConnections')
/** Where events of services may go, by the configuration. */
export const Networks = key<WebhookNetworks>('WebhookNetworks')
/** The deliverer of lock notices, beside the one of codes. */
export const LockNoticeDeliverer = key<Deliverer>('LockNoticeDeliverer')
/** The envelope senders of mails; undefined if notices about mails go elsewhere. */
export const Bounces = key<BounceAddresses | undefined>('BounceAddresses')
/** Takes notices about mails; undefined if this process takes none. */
export const Intake = key<BounceIntake | undefined>('BounceIntake')
/** Each router of the HTTP server is bound to this key. The server tries them in the order of the bindings. */
export const Routes = key<Router>('Routes')
