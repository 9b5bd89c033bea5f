import { ContainerModule } from 'inversify'
import { AnchorCron } from '../adapters/jobs-cron/anchor-cron.ts'
import { RetentionCron } from '../adapters/jobs-cron/retention-cron.ts'
import { DeliverySignal } from '../application/ports/delivery-signal.ts'
import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { AnchorTrail } from '../application/trail/anchor-trail.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Log } from './container-keys.ts'

/** The work that every process does beside its requests, and the signal to its mail thread. */
export function jobs({ deliverer }: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(DeliverySignal).toConstantValue(deliverer)
    bind(AnchorCron).toResolvedValue(
      (anchorTrail, logger) => new AnchorCron(anchorTrail, logger),
      [AnchorTrail, Log],
    )
    bind(RetentionCron).toResolvedValue(
      (purgeChallenges, logger) => new RetentionCron(purgeChallenges, logger),
      [PurgeChallenges, Log],
    )
  })
}
