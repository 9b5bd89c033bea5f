import { ContainerModule } from 'inversify'
import { Deliverer } from '../adapters/deliverer/deliverer.ts'
import { InFlightRequests } from '../adapters/http-koa/edge/in-flight-requests.ts'
import { DeliveryMetrics } from '../adapters/metrics-prometheus/delivery-metrics.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { RetentionCron } from '../adapters/retention-cron/retention-cron.ts'
import { DeliverOtp } from '../application/codes/deliver-otp.ts'
import { SendLockNotices } from '../application/mail/send-lock-notices.ts'
import { DeliverySignal } from '../application/ports/delivery-signal.ts'
import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { Workload } from '../contracts/workload.ts'
import { bindClass } from './bind-class.ts'
import { LockNoticeDeliverer, Log } from './container-keys.ts'

/** A lock notice is less urgent than a code: no user waits for it. So nothing wakes its deliverer between polls. */
const NOTICE_POLL_INTERVAL_IN_MS = 1000

/** The work that every process does beside its requests: mail and retention. */
export function jobs(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindClass(bind, InFlightRequests, [])
    bind(Workload).toService(InFlightRequests)
    bind(Deliverer).toResolvedValue(
      (deliverOtp, metrics, workload, logger) =>
        new Deliverer(deliverOtp, workload, logger, { observer: new DeliveryMetrics(metrics) }),
      [DeliverOtp, Metrics, Workload, Log],
    )
    bind(DeliverySignal).toService(Deliverer)
    bind(LockNoticeDeliverer).toResolvedValue(
      (sendLockNotices, metrics, workload, logger) =>
        new Deliverer(sendLockNotices, workload, logger, {
          observer: new DeliveryMetrics(metrics),
          pollIntervalInMs: NOTICE_POLL_INTERVAL_IN_MS,
        }),
      [SendLockNotices, Metrics, Workload, Log],
    )
    bind(RetentionCron).toResolvedValue(
      (purgeChallenges, logger) => new RetentionCron(purgeChallenges, logger),
      [PurgeChallenges, Log],
    )
  })
}
