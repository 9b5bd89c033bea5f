import * as openid from 'openid-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { SignInSecrets } from '../../contracts/agent-sign-in.ts'
import { type Agent, AgentSignIn, SignInRefused, SignInUnavailable } from '../../contracts/agent-sign-in.ts'
import { IDENTITY } from '../../domain/identity.ts'
import { rolesIn } from './agent-roles.ts'
import { discoverIssuer } from './discover-issuer.ts'

export interface OpenidSignInOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly scopes: string
  readonly roleClaim: string
  readonly readRole: string
  readonly writeRole: string
}

/** An issuer moves its endpoints rarely. Its keys are fetched anew when a token names one that is not known. */
const DISCOVERED_FOR_MS = 3_600_000
/** A code that says something and holds no value. */
const CODE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const MAX_NAME = 100
/** Errors of the token endpoint that are about this service and not about the agent (RFC 6749 §5.2). */
const OUR_FAULTS = ['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_request']
/** The library names these for an answer that is there, well-formed and wrong. */
const WRONG_ANSWERS = [
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
]

/**
 * Signs agents in by the authorization code flow of OpenID Connect, with PKCE, state and nonce. Checks the signature of the ID token
 * as well, although it comes from the issuer directly. Keeps neither tokens nor anything else of a sign-in.
 */
export class OpenidSignIn extends AgentSignIn {
  readonly #options: OpenidSignInOptions
  readonly #clock: Clock
  #discovered: { readonly client: Promise<openid.Configuration>; readonly until: number } | undefined

  constructor(options: OpenidSignInOptions, clock: Clock) {
    super()
    this.#options = options
    this.#clock = clock
  }

  async begin(): Promise<{ url: URL; secrets: SignInSecrets }> {
    const client = await this.#client()
    const secrets = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      codeVerifier: openid.randomPKCECodeVerifier(),
    }
    const url = openid.buildAuthorizationUrl(client, {
      redirect_uri: this.#options.redirectUri,
      scope: this.#options.scopes,
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(secrets.codeVerifier),
      code_challenge_method: 'S256',
    })
    return { url, secrets }
  }

  async finish(query: string, { state, nonce, codeVerifier }: SignInSecrets): Promise<Agent> {
    const client = await this.#client()
    const answer = new URL(this.#options.redirectUri)
    answer.search = query
    try {
      const tokens = await openid.authorizationCodeGrant(client, answer, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      })
      return this.#agentOf(tokens.claims()!)
    } catch (error) {
      throw failureOf(error)
    }
  }

  async endSessionUrl(): Promise<URL | undefined> {
    try {
      const client = await this.#client()
      return client.serverMetadata().end_session_endpoint === undefined
        ? undefined
        : openid.buildEndSessionUrl(client)
    } catch (error) {
      if (error instanceof SignInUnavailable) return undefined
      throw error
    }
  }

  #agentOf(claims: openid.IDToken): Agent {
    if (!IDENTITY.test(claims.sub)) throw new SignInRefused('sub_unusable')
    const roles = rolesIn(claims, this.#options.roleClaim)
    const mayWrite = roles.has(this.#options.writeRole)
    const [name = claims.sub] = [claims.name, claims.preferred_username].filter(
      (each) => typeof each === 'string' && each.trim() !== '',
    ) as string[]
    return {
      id: claims.sub,
      name: [...name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')].slice(0, MAX_NAME).join(''),
      mayRead: mayWrite || roles.has(this.#options.readRole),
      mayWrite,
    }
  }

  /** An issuer that could not be discovered is asked again at the next sign-in. */
  async #client(): Promise<openid.Configuration> {
    const now = this.#clock.now().getTime()
    if (!this.#discovered || this.#discovered.until <= now) {
      this.#discovered = { client: discoverIssuer(this.#options), until: now + DISCOVERED_FOR_MS }
    }
    const { client } = this.#discovered
    try {
      return await client
    } catch (error) {
      if (this.#discovered?.client === client) this.#discovered = undefined
      const failure = failureOf(error)
      throw failure instanceof SignInRefused ? new SignInUnavailable(failure.reason) : failure
    }
  }
}

function failureOf(error: unknown): SignInRefused | SignInUnavailable {
  if (error instanceof SignInRefused || error instanceof SignInUnavailable) return error
  if (error instanceof openid.AuthorizationResponseError) {
    return error.error === 'server_error' || error.error === 'temporarily_unavailable'
      ? new SignInUnavailable(error.error)
      : new SignInRefused(codeOf(error.error))
  }
  if (error instanceof openid.ResponseBodyError) {
    const reason = codeOf(error.error)
    return OUR_FAULTS.includes(reason) ? new SignInUnavailable(reason) : new SignInRefused(reason)
  }
  // The token endpoint answers so if it does not accept this service as its client (RFC 6749 §5.2).
  if (error instanceof openid.WWWAuthenticateChallengeError) return new SignInUnavailable('invalid_client')
  const code = codeOf((error as { code?: unknown }).code)
  return WRONG_ANSWERS.includes(code) ? new SignInRefused(code) : new SignInUnavailable(code)
}

/** Foreign text is not repeated: it could hold anything. */
function codeOf(text: unknown): string {
  return typeof text === 'string' && CODE.test(text) ? text : 'no_answer'
}
