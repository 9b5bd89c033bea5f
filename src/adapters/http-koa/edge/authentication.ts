import type { AccessTokens, Caller } from '../../../application/ports/access-tokens.ts'
import { actorOf } from '../../../application/ports/provenance.ts'
import { HttpError } from './http-error.ts'
import type { EdgeContext } from './state.ts'

/** The `b64token` of RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Finds out who calls. A route does so before it looks at anything else of the request. */
export class Authentication {
  readonly #tokens: AccessTokens

  constructor(tokens: AccessTokens) {
    this.#tokens = tokens
  }

  /**
   * @throws {HttpError} `unauthorized`, if there is no token.
   * @throws {AccessTokenRefused} @throws {AccessTokenInsufficient}
   * @throws {IssuerUnavailable}
   */
  async caller(ctx: EdgeContext): Promise<Caller> {
    const token = BEARER.exec(ctx.get('Authorization'))?.[1]
    if (!token) throw new HttpError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer' } })

    const caller = await this.#tokens.authenticate(token)
    ctx.state.caller = actorOf(caller)
    return caller
  }

  /** The id of the user. @throws {HttpError} `forbidden`, if the caller is a service. */
  async user(ctx: EdgeContext): Promise<string> {
    const caller = await this.caller(ctx)
    if (caller.kind !== 'user') throw new HttpError('forbidden')
    return caller.userId
  }

  /** The id of the client. @throws {HttpError} `forbidden`, if the caller is a user or lacks the scope. */
  async client(ctx: EdgeContext, scope: string): Promise<string> {
    const caller = await this.caller(ctx)
    if (caller.kind !== 'client' || !caller.scopes.has(scope)) throw new HttpError('forbidden')
    return caller.clientId
  }
}
