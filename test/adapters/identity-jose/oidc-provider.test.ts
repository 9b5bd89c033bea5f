import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { decodeJwt, type JWK } from 'jose'
import { Provider } from 'oidc-provider'
import { issuerKeys } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import { AccessTokenRefused } from '../../../src/application/ports/access-tokens.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const REFUSED = { instanceOf: AccessTokenRefused }
const COUNTERSIGN = 'https://countersign.example'
const SHOP = 'https://shop.example'
const CALLBACK = 'https://app.example/callback'
const SCOPE = 'mfa:challenges:create'

const signingKey = (kid: string): JWK => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'ES256',
})

/** An OpenID provider on a port of its own, where a restart with other signing keys is a rotation. */
class OpenIdProvider {
  readonly #server: Server
  #answer: ReturnType<Provider['callback']> | undefined
  #finish: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined

  constructor() {
    // The port is kept through a restart: another process could have it in between.
    this.#server = createServer(async (request, response) => {
      // A kept connection would break the first request after a restart.
      response.shouldKeepAlive = false
      if (request.url?.startsWith('/sign-in/')) await this.#finish!(request, response)
      else await this.#answer!(request, response)
    })
  }

  get issuer() {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** @param keys private keys, of which the first signs */
  async start(...keys: JWK[]): Promise<void> {
    if (!this.#server.listening) {
      await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening))
    }
    const provider = providerOf(this.issuer, keys)
    this.#answer = provider.callback()
    this.#finish = (request, response) =>
      provider.interactionFinished(request, response, { login: { accountId: 'alice' }, consent: {} })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((closed) => this.#server.close(closed))
  }

  async jwksUri(): Promise<URL> {
    const metadata = await fetch(`${this.issuer}/.well-known/openid-configuration`)
    const { jwks_uri } = (await metadata.json()) as { jwks_uri: string }
    return new URL(jwks_uri)
  }

  async serviceToken(resource = COUNTERSIGN): Promise<string> {
    const { access_token } = await this.#token('payments', {
      grant_type: 'client_credentials',
      resource,
      scope: SCOPE,
    })
    return access_token!
  }

  /** The authorization code flow with PKCE, as a browser and an app go through it. */
  async signIn(resource?: string): Promise<Record<string, string>> {
    const verifier = randomBytes(32).toString('base64url')
    const query = new URLSearchParams({
      client_id: 'app',
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: `openid offline_access ${SCOPE}`,
      prompt: 'consent',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(resource && { resource }),
    })
    const code = await this.#browse(`${this.issuer}/auth?${query}`)
    return this.#token('app', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
      ...(resource && { resource }),
    })
  }

  async #browse(start: string): Promise<string> {
    const cookies = new Map<string, string>()
    let url = new URL(start)
    for (let hops = 0; url.origin === this.issuer && hops < 10; hops += 1) {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
        cookies.set(name!, value!)
      }
      const page = await response.text()
      const location = response.headers.get('location')
      if (!location) throw new Error(`${url.pathname}: ${response.status} ${page}`)
      url = new URL(location, url)
    }
    const code = url.searchParams.get('code')
    if (!code) throw new Error(url.href)
    return code
  }

  async #token(client: string, form: Record<string, string>): Promise<Record<string, string>> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client}:secret`)}` },
      body: new URLSearchParams(form),
    })
    const body = (await response.json()) as Record<string, string>
    if (!response.ok) throw new Error(JSON.stringify(body))
    return body
  }
}

function providerOf(issuer: string, keys: JWK[]): Provider {
  return new Provider(issuer, {
    jwks: { keys: keys as never },
    clients: [
      {
        client_id: 'payments',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: 'app',
        client_secret: 'secret',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [CALLBACK],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: ['cookie-key'] },
    scopes: ['openid', 'offline_access', SCOPE],
    ttl: {
      AccessToken: 300,
      ClientCredentials: 300,
      IdToken: 300,
      RefreshToken: 300,
      Grant: 300,
      Session: 300,
      Interaction: 300,
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      })
      grant.addOIDCScope(`openid offline_access ${SCOPE}`)
      grant.addResourceScope(COUNTERSIGN, SCOPE)
      await grant.save()
      return grant
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: SCOPE,
          audience: resource === COUNTERSIGN ? 'countersign' : resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
}

async function withProvider(...keys: JWK[]) {
  const provider = new OpenIdProvider()
  await provider.start(...keys)
  const token = await provider.serviceToken()
  const issuedAt = new Date(decodeJwt(token).iat! * 1000)
  const clock = new SettableClock(issuedAt)
  const keyClock = new SettableClock(issuedAt)
  const remoteKeys = issuerKeys(await provider.jwksUri(), keyClock)
  const tokens = new JoseAccessTokens(remoteKeys, { issuer: provider.issuer, audience: 'countersign' }, clock)
  return { provider, token, tokens, clock, keyClock }
}

test("a token of the client credentials grant is a service's, with its scopes", async (t) => {
  const { provider, token, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  t.deepEqual(await tokens.authenticate(token), {
    kind: 'client',
    clientId: 'payments',
    scopes: new Set([SCOPE]),
  })
})

test("a token of the authorization code grant is a user's, and the tokens beside it are refused", async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  const { access_token, id_token, refresh_token } = await provider.signIn(COUNTERSIGN)

  t.deepEqual(await tokens.authenticate(access_token!), { kind: 'user', userId: 'alice' })
  await t.throwsAsync(tokens.authenticate(id_token!), REFUSED)
  await t.throwsAsync(tokens.authenticate(refresh_token!), REFUSED)
})

test('a token for another resource is refused', async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  await t.throwsAsync(tokens.authenticate(await provider.serviceToken(SHOP)), REFUSED)
})

test('an opaque access token is refused', async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  const { access_token } = await provider.signIn()

  await t.throwsAsync(tokens.authenticate(access_token!), REFUSED)
})

test('an expired token is refused', async (t) => {
  const { provider, token, tokens, clock } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  clock.pass(305)

  await t.throwsAsync(tokens.authenticate(token), REFUSED)
})

test('a rotated key signs good tokens at once, and the old one until it is removed', async (t) => {
  const [first, second] = [signingKey('k1'), signingKey('k2')]
  const { provider, token, tokens, keyClock } = await withProvider(first)
  t.teardown(() => provider.stop())
  await tokens.authenticate(token)

  await provider.start(second, first)
  keyClock.pass(30)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })
  t.like(await tokens.authenticate(token), { kind: 'client' })

  const third = signingKey('k3')
  await provider.start(third)
  keyClock.pass(30)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })
  await t.throwsAsync(tokens.authenticate(token), REFUSED)
})
