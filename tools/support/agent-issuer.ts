import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import { Provider } from 'oidc-provider'

export const DESK = { clientId: 'support-desk', clientSecret: 'secret-of-the-desk' }

/** Those who can sign in, and what their roles are. */
export const AGENTS: Readonly<Record<string, { readonly name: string; readonly roles: readonly string[] }>> =
  {
    'agent-7': { name: 'Sam Lee', roles: ['mfa:support:read', 'mfa:support:write'] },
    'agent-8': { name: 'Kim Roe', roles: ['mfa:support:read'] },
    'teller-1': { name: 'Jo Poe', roles: ['teller'] },
  }

/** A real OpenID provider for support agents, with a page on which one chooses who to be. */
export class AgentIssuer {
  readonly #server: Server
  #provider: Provider | undefined
  /** Answers 503 to everything while it is set. */
  isDown = false
  /** Publishes other keys than it signs with, while it is set. */
  hidesKeys = false
  /** What it was asked, as `GET /auth`. */
  readonly asked: string[] = []

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** @param desk the origin of the support desk. */
  async start(desk: string): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#provider = providerOf(this.url, desk)
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.shouldKeepAlive = false
    const url = new URL(request.url!, this.url)
    if (this.isDown) {
      response.writeHead(503).end()
      return
    }
    this.asked.push(`${request.method} ${url.pathname}`)
    if (this.hidesKeys && url.pathname === '/jwks') {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ keys: [publicHalf(newKey())] }))
      return
    }
    if (!url.pathname.startsWith('/sign-in/')) {
      await this.#provider!.callback()(request, response)
      return
    }
    const as = url.searchParams.get('as')
    if (as === null) {
      response.setHeader('Content-Type', 'text/html')
      response.end(
        `<!doctype html><title>Sign in</title>${[...Object.keys(AGENTS), 'nobody'].map((id) => `<p><a href="?as=${id}">${id}</a>`).join('')}`,
      )
      return
    }
    const result =
      as === 'nobody'
        ? { error: 'access_denied' }
        : { login: { accountId: as, remember: false }, consent: {} }
    await this.#provider!.interactionFinished(request, response, result)
  }
}

function newKey(): JWK {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'r1', use: 'sig', alg: 'RS256' }
}

function publicHalf({ kty, n, e, kid, use, alg }: JWK) {
  return { kty, n, e, kid, use, alg }
}

function providerOf(issuer: string, desk: string): Provider {
  return new Provider(issuer, {
    jwks: { keys: [newKey() as never] },
    clients: [
      {
        client_id: DESK.clientId,
        client_secret: DESK.clientSecret,
        redirect_uris: [`${desk}/support/callback`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    cookies: { keys: ['cookie-key'] },
    claims: { openid: ['sub'], profile: ['name', 'roles'] },
    // Otherwise the claims of a scope are at the userinfo endpoint alone.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    ttl: {
      AccessToken: 300,
      AuthorizationCode: 60,
      Grant: 300,
      IdToken: 300,
      Interaction: 300,
      Session: 300,
    },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...AGENTS[accountId] }) as { sub: string },
    }),
    interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
    features: { devInteractions: { enabled: false } },
  })
}
