import { ContainerModule } from 'inversify'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { RowSeals } from '../adapters/persistence-prisma/seals/row-seals.ts'
import { Clock } from '../application/ports/clock.ts'
import type { Keys } from '../config/formats.ts'

/** What shows that the service wrote a row, for those who decide about it and for those who mail its code. */
export function seals(otpKeys: Keys, unsealedUntil: Date | undefined): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(RowSeals).toResolvedValue(
      (clock, metrics) => new RowSeals(otpKeys, clock, unsealedUntil, () => metrics.otpKeyMisses.inc()),
      [Clock, Metrics],
    )
  })
}
