import { ContainerModule } from 'inversify'
import { issuerKeys } from '../adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../adapters/identity-jose/jose-access-tokens.ts'
import { tokenProfile } from '../adapters/identity-jose/token-profiles.ts'
import { AccessTokens } from '../application/ports/access-tokens.ts'
import { Clock } from '../application/ports/clock.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'
import { Issuer, Traces } from './container-keys.ts'

/** Accepts the access tokens of the configured issuer, or of the stand-in. */
export function identity(options: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    const { auth } = options.config
    if (!auth) {
      const { keys, rules } = standIns(options).issuer
      bind(AccessTokens).toResolvedValue((clock) => new JoseAccessTokens(keys, rules, clock), [Clock])
      return
    }
    bind(Issuer).toResolvedValue(
      (clock, tracing) => issuerKeys(auth.jwksUrl, clock, tracing?.fetch),
      [Clock, Traces],
    )
    const rules = { ...auth, profile: tokenProfile(auth.provider, auth.claims, auth.audience) }
    bind(AccessTokens).toResolvedValue(
      (issuer, clock) => new JoseAccessTokens(issuer.candidates, rules, clock),
      [Issuer, Clock],
    )
  })
}
