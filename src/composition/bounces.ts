import { ContainerModule } from 'inversify'
import { HmacBounceAddresses } from '../adapters/bounce-addresses-hmac/hmac-bounce-addresses.ts'
import { BounceIntake } from '../adapters/bounce-intake/bounce-intake.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { RecordNotice } from '../application/mail/record-notice.ts'
import { Clock } from '../application/ports/clock.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { bindClass } from './bind-class.ts'
import type { DeliveryOptions } from './composition-options.ts'
import { Bounces, Intake, Log } from './container-keys.ts'

/** The addresses to which mail systems send their notices, and the intake of those, each if it is configured. */
export function bounces({ config }: DeliveryOptions): ContainerModule {
  const addresses =
    config.bounces &&
    new HmacBounceAddresses(config.otpKeys, config.bounces.domain, config.bounces.brandDomains)
  const intake = config.bounces?.intake
  return new ContainerModule(({ bind }) => {
    bind(Bounces).toConstantValue(addresses)
    bindClass(bind, RecordNotice, [MailOutcomes, Clock])
    bind(Intake).toResolvedValue(
      (recordNotice, metrics, logger) =>
        addresses &&
        intake &&
        new BounceIntake(intake, addresses, recordNotice, logger, (outcome) =>
          metrics.bounceNotices.inc({ outcome }),
        ),
      [RecordNotice, Metrics, Log],
    )
  })
}
