import { ContainerModule } from 'inversify'
import { UuidIdentifiers } from '../adapters/identifiers-uuid/uuid-identifiers.ts'
import {
  EddsaAnchorSigner,
  EddsaAnchorVerifier,
  type PublicKey,
} from '../adapters/signing-eddsa/eddsa-anchors.ts'
import { EddsaChallengeSigner } from '../adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { Identifiers } from '../application/ports/identifiers.ts'
import { AnchorSigner, AnchorVerifier } from '../application/ports/trail-anchors.ts'
import { bindPort } from './bind-class.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'

/** Ids and signatures for the decisions about challenges. */
export function signatures(options: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindPort(bind, Identifiers, UuidIdentifiers, [])
    const keys = options.config.signingKeys ?? standIns(options).signingKeys
    const challengeSigner = new EddsaChallengeSigner(keys, options.config.unsealedUntil)
    bind(ChallengeSigner).toConstantValue(challengeSigner)
    bind(AnchorSigner).toConstantValue(new EddsaAnchorSigner(keys))
    const publicKeys = challengeSigner.publicKeys().keys as unknown as readonly PublicKey[]
    bind(AnchorVerifier).toConstantValue(new EddsaAnchorVerifier(publicKeys))
  })
}
