import { ContainerModule } from 'inversify'
import { UuidIdentifiers } from '../adapters/identifiers-uuid/uuid-identifiers.ts'
import {
  EddsaAnchorSigner,
  EddsaAnchorVerifier,
  type PublicKey,
} from '../adapters/signing-eddsa/eddsa-anchors.ts'
import { EddsaChallengeSigner } from '../adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { EddsaWebhookSigner } from '../adapters/signing-eddsa/eddsa-webhook-signer.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { Identifiers } from '../application/ports/identifiers.ts'
import { AnchorSigner, AnchorVerifier } from '../application/ports/trail-anchors.ts'
import type { Keys } from '../config/formats.ts'
import type { WebhookSigner } from '../contracts/webhook-signer.ts'
import { bindPort } from './bind-class.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'

/** Ids and signatures for the decisions about challenges. */
export function signatures(options: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindPort(bind, Identifiers, UuidIdentifiers, [])
    const keys = signingKeysOf(options)
    const challengeSigner = new EddsaChallengeSigner(keys, options.config.unsealedUntil)
    bind(ChallengeSigner).toConstantValue(challengeSigner)
    bind(AnchorSigner).toConstantValue(new EddsaAnchorSigner(keys))
    const publicKeys = challengeSigner.publicKeys().keys as unknown as readonly PublicKey[]
    bind(AnchorVerifier).toConstantValue(new EddsaAnchorVerifier(publicKeys))
  })
}

/** What the mail thread asks to sign an event. The keys stay in this thread. */
export function webhookSigner(options: Pick<CompositionOptions, 'config' | 'development'>): WebhookSigner {
  return new EddsaWebhookSigner(signingKeysOf(options))
}

function signingKeysOf(options: Pick<CompositionOptions, 'config' | 'development'>): Keys {
  return options.config.signingKeys ?? standIns(options).signingKeys
}
