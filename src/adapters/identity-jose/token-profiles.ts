import type { JWTPayload } from 'jose'
import { AccessTokenRefused } from '../../application/ports/access-tokens.ts'

/** The identity providers whose tokens we know. `generic` is any provider that follows RFC 9068. */
export type TokenProvider = 'generic' | 'keycloak' | 'auth0' | 'okta' | 'entra' | 'cognito'

/** Single settings, which replace those of the provider. */
export interface ClaimSettings {
  /** The claim with the id of the client. */
  readonly client?: string | undefined
  /** The claim with the scopes. */
  readonly scope?: string | undefined
  /** What the provider writes in front of each scope. */
  readonly scopePrefix?: string | undefined
  /** The claim with the id of a user. */
  readonly user?: string | undefined
  /** The claim and value by which a token of a service is known. */
  readonly service?: { readonly name: string; readonly value: string } | undefined
}

/** How one provider writes its access tokens. */
export interface TokenProfile {
  /** The claims that may hold the id of the client. The first one in the token counts. */
  readonly clientClaims: readonly string[]
  readonly scopeClaim: string
  readonly scopePrefix: string
  readonly userClaim: string
  /** The claim with the scopes of a user, where it is another one than that of services. */
  readonly userScopeClaim?: string
  /**
   * Whether the client got the token for itself. It is false for any token that a user may have got, whatever the user
   * chose as a name and whatever scopes the user was given.
   */
  isService(claims: JWTPayload, client: string): boolean
  /** Whether it is an access token, and no ID token of a client whose id is the audience. */
  isAccessToken(claims: JWTPayload, client: unknown): boolean
  /** Whether the token is for this audience, if the provider writes no `aud`. */
  isFor?(claims: JWTPayload, audience: string): boolean
}

/** RFC 9068 §2.2: without a user, `sub` is the client. */
const GENERIC: TokenProfile = {
  clientClaims: ['client_id', 'azp'],
  scopeClaim: 'scope',
  scopePrefix: '',
  userClaim: 'sub',
  isService: ({ sub }, client) => sub === client,
  isAccessToken: () => true,
}

/** An access token of these providers names its client, and an ID token does not. */
const namesItsClient: TokenProfile['isAccessToken'] = (_, client) => client !== undefined

/** The issuer must not let users choose what proves a service. Each rule says why they cannot. */
const PROFILES: Readonly<Record<TokenProvider, TokenProfile>> = {
  generic: GENERIC,

  /**
   * `sub` is the id of a hidden user. Only the client credentials grant sets the session notes from which `client_id`
   * (in older releases `clientId`) comes. A realm may give that claim to users as well, as RFC 9068 asks. So a session
   * (`sid`) or the name of a user shows that the token is a user's. The name alone would prove nothing: a user may have
   * chosen it.
   */
  keycloak: {
    ...GENERIC,
    clientClaims: ['azp'],
    isService: ({ sub, client_id, clientId, sid, preferred_username: name }, client) =>
      sub === client ||
      ((client_id ?? clientId) === client &&
        sid === undefined &&
        (name === undefined || name === `service-account-${client.toLowerCase()}`)),
    isAccessToken: ({ typ }) => typ === undefined || typ === 'Bearer' || typ === 'DPoP',
  },

  /** The `sub` of a user has the form `connection|id`. */
  auth0: {
    ...GENERIC,
    clientClaims: ['azp', 'client_id'],
    isService: ({ sub, gty = 'client-credentials' }, client) =>
      sub === `${client}@clients` && gty === 'client-credentials',
    isAccessToken: namesItsClient,
  },

  /** `sub` of a user is the login, which can change. `uid` stays, and only tokens of users have it. */
  okta: {
    ...GENERIC,
    clientClaims: ['cid'],
    scopeClaim: 'scp',
    userClaim: 'uid',
    isService: ({ sub, uid }, client) => sub === client && uid === undefined,
    isAccessToken: namesItsClient,
  },

  /**
   * Microsoft asks APIs to tell services by `idtyp`. Tokens of users may lack `scp` and may have `roles`. `sub` of a user
   * differs from one API to the next, so an operation service could not name the user by it. `oid` is the same for all.
   */
  entra: {
    ...GENERIC,
    clientClaims: ['azp', 'appid'],
    scopeClaim: 'roles',
    userScopeClaim: 'scp',
    userClaim: 'oid',
    isService: ({ idtyp, scp }) => idtyp === 'app' && scp === undefined,
    isAccessToken: namesItsClient,
  },

  /** Names the API in front of each scope, and writes `aud` only if the client asks for it (RFC 8707). */
  cognito: {
    ...GENERIC,
    clientClaims: ['client_id'],
    isService: ({ sub, username }, client) => sub === client && username === undefined,
    isAccessToken: ({ token_use }) => token_use === 'access',
    isFor: ({ aud, scope }, audience) =>
      aud === undefined
        ? scopesIn(scope).some((each) => each.startsWith(`${audience}/`))
        : [aud].flat().includes(audience),
  },
}

/** The profile of the provider, with the single settings in the place of its own. */
export function tokenProfile(
  provider: TokenProvider = 'generic',
  settings: ClaimSettings = {},
  audience = '',
): TokenProfile {
  const profile = PROFILES[provider]
  const { client, scope, scopePrefix, user, service } = settings
  const ownPrefix = provider === 'cognito' ? `${audience}/` : profile.scopePrefix
  return {
    ...profile,
    clientClaims: client === undefined ? profile.clientClaims : [client],
    scopeClaim: scope ?? profile.scopeClaim,
    userScopeClaim: scope ?? profile.userScopeClaim ?? profile.scopeClaim,
    scopePrefix: scopePrefix ?? ownPrefix,
    userClaim: user ?? profile.userClaim,
    isService: service ? (claims) => claimOf(claims, service.name) === service.value : profile.isService,
  }
}

/** The scopes of a service for this API, without their prefix. @throws as {@link scopesFrom} does */
export function scopesOf(claims: JWTPayload, profile: TokenProfile): ReadonlySet<string> {
  return scopesFrom(profile.scopeClaim, claims, profile)
}

/** The scopes of a user for this API, without their prefix. @throws as {@link scopesFrom} does */
export function userScopesOf(claims: JWTPayload, profile: TokenProfile): ReadonlySet<string> {
  return scopesFrom(profile.userScopeClaim ?? profile.scopeClaim, claims, profile)
}

/** @throws {AccessTokenRefused} if the claim is neither text nor a list of texts. */
function scopesFrom(claim: string, claims: JWTPayload, { scopePrefix }: TokenProfile): ReadonlySet<string> {
  const ours = scopesIn(claimOf(claims, claim)).filter((scope) => scope.startsWith(scopePrefix))
  return new Set(ours.map((scope) => scope.slice(scopePrefix.length)))
}

/** The claim, if the token itself has it: `constructor` and the like are no claims. */
export function claimOf(claims: JWTPayload, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/** RFC 8693 §4.2 has one text with spaces between the scopes. Some providers write a list, for several scopes or always. */
function scopesIn(claim: unknown = []): readonly string[] {
  return [claim].flat().flatMap((part) => {
    if (typeof part !== 'string') throw new AccessTokenRefused('scope')
    return part.split(' ').filter(Boolean)
  })
}
