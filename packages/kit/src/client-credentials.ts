import { z } from 'zod'
import { boundedFetch } from './bounded-fetch.ts'
import { protectedUrl } from './protected-url.ts'

/** How this service gets its access tokens. */
export interface ClientCredentials {
  /** The token endpoint of the identity provider: https, or http on this machine. */
  readonly tokenUrl: string | URL
  readonly clientId: string
  readonly clientSecret: string
  /** The scopes, separated by spaces: `mfa:challenges:create mfa:challenges:consume` to protect a route. */
  readonly scope: string
  /** Further parameters of the request, such as the `audience` of Auth0 or the `resource` of RFC 8707. Default: none. */
  readonly parameters?: Readonly<Record<string, string>>
  /** The time that one request to the token endpoint may take, in milliseconds. Default: 5000. */
  readonly timeoutInMs?: number
  /** What sends the request. Default: the `fetch` of Node.js. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Whether the URL may be plain HTTP to another machine, for a network that encrypts by itself, such as a service mesh. Default: false.
   * This machine may always be called over plain HTTP.
   */
  readonly allowPlainHttp?: boolean
}

const Granted = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().nonnegative().default(0),
})

/** Renewed early, so that no token expires on its way. */
const RENEW_BEFORE_END_IN_MS = 30_000

/**
 * A source of access tokens by the client credentials grant (RFC 6749 §4.4). Concurrent callers share one request. The token is
 * kept until 30 seconds before its end. A failed request is not kept: the next call asks again.
 *
 * The function that it returns rejects with an `Error` that names the status of the token endpoint, and nothing that was sent or
 * answered.
 *
 * @throws {TypeError} if the URL is not valid, or is plain HTTP to another machine: the request has the client secret.
 */
export function clientCredentials(credentials: ClientCredentials): () => Promise<string> {
  const tokenUrl = protectedUrl(credentials.tokenUrl, 'tokenUrl', credentials.allowPlainHttp)
  let cached: { readonly token: Promise<string>; renewAt: number } | undefined

  return () => {
    if (cached && performance.now() < cached.renewAt) return cached.token
    const request = {
      renewAt: Number.POSITIVE_INFINITY,
      token: grant(tokenUrl, credentials).then(({ access_token, expires_in }) => {
        request.renewAt = performance.now() + expires_in * 1000 - RENEW_BEFORE_END_IN_MS
        return access_token
      }),
    }
    cached = request
    request.token.catch(() => {
      request.renewAt = 0
    })
    return request.token
  }
}

async function grant(tokenUrl: URL, credentials: ClientCredentials): Promise<z.infer<typeof Granted>> {
  const { clientId, clientSecret, scope, parameters, timeoutInMs = 5000, fetch } = credentials
  const { status, text } = await boundedFetch(
    tokenUrl,
    {
      method: 'POST',
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...parameters, grant_type: 'client_credentials', scope }).toString(),
    },
    { timeoutInMs, fetch },
  )
  if (status !== 200) throw new Error(`The token endpoint answered ${status}`)
  const { success, data } = Granted.safeParse(jsonOf(text))
  if (!success) throw new Error('The token endpoint did not answer with a bearer token')
  return data
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
