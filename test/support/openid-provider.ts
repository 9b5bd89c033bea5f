import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import { Provider } from 'oidc-provider'

export const COUNTERSIGN = 'https://countersign.example'
const CALLBACK = 'https://app.example/callback'
export const SCOPE = 'mfa:challenges:create'

export const signingKey = (kid: string): JWK => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'ES256',
})

/** What a provider changes in its access tokens. `user` is undefined in a token of a service. */
export type Reshape = (
  token: { header?: Record<string, unknown>; readonly payload: Record<string, unknown> },
  user: string | undefined,
) => void

/** An OpenID provider on a port of its own, where a restart with other signing keys is a rotation. */
export class OpenIdProvider {
  readonly #server: Server
  #answer: ReturnType<Provider['callback']> | undefined
  #finish: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined

  readonly #reshape: Reshape | undefined

  constructor(reshape?: Reshape) {
    this.#reshape = reshape
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

  /** @param keys private keys. The first one signs. */
  async start(...keys: JWK[]): Promise<void> {
    if (!this.#server.listening) {
      await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening))
    }
    const provider = providerOf(this.issuer, keys, this.#reshape)
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

function providerOf(issuer: string, keys: JWK[], reshape: Reshape | undefined): Provider {
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
    formats: {
      customizers: {
        jwt: (_, token, jwt) => {
          reshape?.(jwt as never, 'accountId' in token ? token.accountId : undefined)
        },
      },
    },
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
