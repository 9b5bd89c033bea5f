import { ContainerModule } from 'inversify'
import { issuerKeys } from '../adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../adapters/identity-jose/jose-access-tokens.ts'
import { AccessTokens } from '../application/ports/access-tokens.ts'
import { Clock } from '../application/ports/clock.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'
import { Traces } from './container-keys.ts'

/** Accepts the access tokens of the configured issuer, or of the stand-in. */
export function identity(options: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    const { auth } = options.config
    const { keys, rules } = auth ? { keys: undefined, rules: auth } : standIns(options).issuer
    bind(AccessTokens).toResolvedValue(
      (clock, tracing) =>
        new JoseAccessTokens(keys ?? issuerKeys(auth!.jwksUrl, clock, tracing?.fetch), rules, clock),
      [Clock, Traces],
    )
  })
}
