import type { KeyObject } from 'node:crypto'
import { createRemoteJWKSet, type JSONWebKeySet } from 'jose'
import { protectedUrl } from './protected-url.ts'
import { ed25519Keys } from './webhook-signatures.ts'

/** The keys that the service publishes, fetched once, and again if none of them fits. */
export class PublishedKeys {
  readonly #local: readonly KeyObject[] | undefined
  readonly #remote: ReturnType<typeof createRemoteJWKSet> | undefined

  /** @throws {TypeError} if the URL is plain HTTP to another machine: anyone on the way could replace the keys. */
  constructor(jwks: URL | JSONWebKeySet, allowPlainHttp?: boolean) {
    if (jwks instanceof URL) this.#remote = createRemoteJWKSet(protectedUrl(jwks, 'jwks', allowPlainHttp))
    else this.#local = ed25519Keys(jwks.keys)
  }

  /** Whether `fits` holds for the keys, or for those fetched anew. @throws the error of `jose` if the keys cannot be fetched. */
  async have(fits: (keys: readonly KeyObject[]) => boolean): Promise<boolean> {
    const remote = this.#remote
    if (!remote) return fits(this.#local ?? [])
    if (!remote.fresh) await remote.reload()
    if (fits(ed25519Keys(remote.jwks()?.keys ?? []))) return true
    // Strangers can send any signature. They make us fetch the keys twice a minute at most.
    if (remote.coolingDown) return false
    await remote.reload()
    return fits(ed25519Keys(remote.jwks()?.keys ?? []))
  }
}
