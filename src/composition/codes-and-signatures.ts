import { ContainerModule } from 'inversify'
import { UuidIdentifiers } from '../adapters/identifiers-uuid/uuid-identifiers.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { EddsaChallengeSigner } from '../adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { OtplibTotp } from '../adapters/totp-otplib/otplib-totp.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { Clock } from '../application/ports/clock.ts'
import { Identifiers } from '../application/ports/identifiers.ts'
import { Totp } from '../application/ports/totp.ts'
import { bindPort } from './bind-class.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'

/** Time, ids, one-time codes and signatures for the use cases. */
export function codesAndSignatures(options: CompositionOptions): ContainerModule {
  const { otpKeys, signingKeys, policy } = options.config
  return new ContainerModule(({ bind }) => {
    bind(Clock).toConstantValue({ now: () => new Date() })
    bindPort(bind, Identifiers, UuidIdentifiers, [])
    const keys = otpKeys ?? standIns(options).otpKeys
    bind(Totp).toResolvedValue(
      (metrics) => new OtplibTotp(keys, policy.codeDigits, () => metrics.otpKeyMisses.inc()),
      [Metrics],
    )
    bind(ChallengeSigner).toConstantValue(
      new EddsaChallengeSigner(signingKeys ?? standIns(options).signingKeys),
    )
  })
}
