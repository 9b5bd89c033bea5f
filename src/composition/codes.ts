import { ContainerModule } from 'inversify'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { OtplibTotp } from '../adapters/totp-otplib/otplib-totp.ts'
import { Clock } from '../application/ports/clock.ts'
import { Totp } from '../application/ports/totp.ts'
import type { Keys } from '../config/formats.ts'

/** Time and one-time codes, for those who check a code and for those who mail it. */
export function codes(otpKeys: Keys, digits: 6 | 7 | 8): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Clock).toConstantValue({ now: () => new Date() })
    bind(Totp).toResolvedValue(
      (metrics) => new OtplibTotp(otpKeys, digits, () => metrics.otpKeyMisses.inc()),
      [Metrics],
    )
  })
}
