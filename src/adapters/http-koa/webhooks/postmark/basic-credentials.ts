import { createHash, timingSafeEqual } from 'node:crypto'
import { HttpError } from '../../edge/http-error.ts'
import type { EdgeContext } from '../../edge/state.ts'

/** The `token68` of RFC 7617 §2; the scheme in any case (RFC 9110 §11.1). */
const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i
const CHALLENGE = 'Basic realm="countersign", charset="UTF-8"'

/** The one `user:password` that a route accepts. */
export class BasicCredentials {
  readonly #digest: Buffer

  constructor(userAndPassword: string) {
    this.#digest = digestOf(Buffer.from(userAndPassword))
  }

  /** @throws {HttpError} `unauthorized`, unless the request has these credentials. */
  assertGivenBy(ctx: EdgeContext): void {
    const given = BASIC.exec(ctx.get('Authorization'))?.[1]
    // Digests have one length, and the time of comparing them says nothing about the credentials.
    if (given && timingSafeEqual(digestOf(Buffer.from(given, 'base64')), this.#digest)) return
    throw new HttpError('unauthorized', { headers: { 'WWW-Authenticate': CHALLENGE } })
  }
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
