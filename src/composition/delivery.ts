import { Container, ContainerModule } from 'inversify'
import type { Registry } from 'prom-client'
import type { BounceIntake } from '../adapters/bounce-intake/bounce-intake.ts'
import { Deliverer } from '../adapters/deliverer/deliverer.ts'
import { ServiceEventDeliverer } from '../adapters/deliverer/service-event-deliverer.ts'
import { InFlightRequests } from '../adapters/http-koa/edge/in-flight-requests.ts'
import { ExpiryCron } from '../adapters/jobs-cron/expiry-cron.ts'
import { DeliveryMetrics } from '../adapters/metrics-prometheus/delivery-metrics.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { NewIssuances } from '../adapters/persistence-prisma/sharding/new-issuances.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { ExpireChallenges } from '../application/challenges/expire-challenges.ts'
import { DeliverOtp } from '../application/codes/deliver-otp.ts'
import { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import { SendLockNotices } from '../application/mail/send-lock-notices.ts'
import { SendSecurityNotices } from '../application/mail/send-security-notices.ts'
import { ChallengeExpiries } from '../application/ports/challenge-expiries.ts'
import { Clock } from '../application/ports/clock.ts'
import { LockMailComposer } from '../application/ports/lock-mail-composer.ts'
import { LockNotices } from '../application/ports/lock-notices.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { MailTransport } from '../application/ports/mail-transport.ts'
import { OtpMailComposer } from '../application/ports/otp-mail-composer.ts'
import { OtpOutbox } from '../application/ports/otp-outbox.ts'
import { SecurityMailComposer } from '../application/ports/security-mail-composer.ts'
import { SecurityNotices } from '../application/ports/security-notices.ts'
import { Totp } from '../application/ports/totp.ts'
import { Workload } from '../contracts/workload.ts'
import { bindClass } from './bind-class.ts'
import { bounces } from './bounces.ts'
import { codes } from './codes.ts'
import type { DeliveryOptions } from './composition-options.ts'
import { connections } from './connections.ts'
import { Intake, Links, LockNoticeDeliverer, Log, StorageConnections, Traces } from './container-keys.ts'
import { eventDelivery } from './event-delivery.ts'
import { mail } from './mail.ts'
import { mailStorage } from './mail-storage.ts'
import { loadTracing, observing, observingMails } from './observing.ts'
import { reportLinks } from './reports.ts'
import { seals } from './seals.ts'

/** A lock notice is less urgent than a code: no user waits for it. So nothing wakes its deliverer between polls. */
const NOTICE_POLL_INTERVAL_IN_MS = 1000
/** A poll asks all servers. */
const SHARDED_NOTICE_POLL_INTERVAL_IN_MS = 5000
/** One for a claim and one for its outcomes, for codes and for lock notices. */
const POOL_SIZE = 4

/** The assembled delivery of mails. Its deliverers do not run yet. */
export interface Delivery {
  readonly codes: Deliverer
  readonly notices: Deliverer
  readonly events: ServiceEventDeliverer
  readonly expiries: ExpiryCron
  /** Takes notices of mail systems; undefined if this process takes none. */
  readonly intake: Pick<BounceIntake, 'listen' | 'close'> | undefined
  readonly metrics: Registry
  /** Delivers the mail of a code that this process has just issued, and whatever else is due. */
  wake(issuanceId: string): void
  /** Closes the connections to mail systems and database, and exports the last traces. Stop the deliverers and the intake first. */
  close(): Promise<void>
}

/** @throws {Error} if a mail system, a template or a language is unusable. */
export async function createDelivery(options: DeliveryOptions): Promise<Delivery> {
  const tracing = await loadTracing(options)
  const container = createDeliveryContainer(options, tracing)
  return {
    codes: container.get(Deliverer),
    notices: container.get(LockNoticeDeliverer),
    events: container.get(ServiceEventDeliverer),
    expiries: container.get(ExpiryCron),
    intake: container.get(Intake),
    metrics: container.get(Metrics).registry,
    wake: (issuanceId) => {
      container.get(NewIssuances).add(issuanceId)
      container.get(Deliverer).wake()
    },
    close: async () => {
      await container.get(MailTransport).close()
      await container.get(StorageConnections).close()
      await tracing?.stop()
    },
  }
}

function createDeliveryContainer(options: DeliveryOptions, tracing: Tracing | undefined): Container {
  const { config, databaseUrl, logger } = options
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(
    observing(logger, tracing),
    observingMails(),
    connections(databaseUrl, config.databaseSharding, POOL_SIZE),
    mailStorage(),
    codes(config.otpKeys, config.policy.codeDigits),
    bounces(options),
    reportLinks(config),
    seals(config.otpKeys, config.unsealedUntil),
    mail(options),
    eventDelivery(options),
    deliverers(options),
  )
  return container
}

function deliverers({ config, requests }: DeliveryOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, RecordMailEvent, [MailOutcomes, Clock])
    bind(DeliverOtp).toResolvedValue(
      (outbox, totp, composer, transport, mailOutcomes, clock, tracing, links) =>
        new DeliverOtp(outbox, totp, composer, transport, mailOutcomes, clock, tracing?.deliveries, links),
      [OtpOutbox, Totp, OtpMailComposer, MailTransport, MailOutcomes, Clock, Traces, Links],
    )
    bindClass(bind, SendLockNotices, [LockNotices, LockMailComposer, MailTransport, Clock, Links])
    bindClass(bind, SendSecurityNotices, [SecurityNotices, SecurityMailComposer, MailTransport, Clock])

    bindClass(bind, ExpireChallenges, [ChallengeExpiries, Clock])
    bind(ExpiryCron).toResolvedValue(
      (expireChallenges, logger) => new ExpiryCron(expireChallenges, logger),
      [ExpireChallenges, Log],
    )

    bind(Workload).toConstantValue(new InFlightRequests(requests))
    bind(Deliverer).toResolvedValue(
      (deliverOtp, metrics, workload, logger) =>
        new Deliverer(deliverOtp, workload, logger, { observer: new DeliveryMetrics(metrics) }),
      [DeliverOtp, Metrics, Workload, Log],
    )
    bind(LockNoticeDeliverer).toResolvedValue(
      (locks, security, metrics, workload, logger) =>
        new Deliverer(inTurn(locks, security), workload, logger, {
          observer: new DeliveryMetrics(metrics),
          pollIntervalInMs:
            config.databaseSharding === 'citus'
              ? SHARDED_NOTICE_POLL_INTERVAL_IN_MS
              : NOTICE_POLL_INTERVAL_IN_MS,
        }),
      [SendLockNotices, SendSecurityNotices, Metrics, Workload, Log],
    )
  })
}

/** Lock notices and security notices share a deliverer: both are rare, and nobody waits for them. */
function inTurn(locks: SendLockNotices, security: SendSecurityNotices): Pick<SendLockNotices, 'execute'> {
  return {
    execute: async (limit) => {
      const first = await locks.execute(limit)
      return first.length < limit ? [...first, ...(await security.execute(limit - first.length))] : first
    },
  }
}
