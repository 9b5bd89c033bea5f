import { fetchJson } from './issuer-answer.ts'

/** What an issuer says about itself (OpenID Connect Discovery §3, RFC 8414 §2). */
export interface Discovery {
  readonly issuer: string
  readonly jwksUri: URL | undefined
  /** Undefined if the issuer does not say. A list need not be complete. */
  readonly scopes: readonly unknown[] | undefined
  readonly claims: readonly unknown[] | undefined
}

/** Documents beyond this depth of a path are not looked for. */
const MAX_FOLDERS = 6
const VISIBLE = /^[\x21-\x7e]{1,255}$/

/**
 * Finds the discovery document of an issuer: first at the place that its name gives, then above its keys, in case the
 * name is wrong. A document above the keys counts only if it names these keys, because a host may have many issuers.
 */
export async function discover(issuer: string, jwksUrl: URL): Promise<Discovery | undefined> {
  const [byName, aboveKeys] = await Promise.all([
    Promise.all(placesByName(issuer).map(read)),
    Promise.all(placesAbove(jwksUrl).map(read)),
  ])
  const found = [...byName, ...aboveKeys.filter((each) => each?.jwksUri?.pathname === jwksUrl.pathname)]
  return found.find((each) => each !== undefined)
}

function placesByName(issuer: string): readonly URL[] {
  if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) return []
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/+$/, '')
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ]
}

function placesAbove({ origin, pathname }: URL): readonly URL[] {
  const folders = pathname.split('/').slice(0, -1)
  return folders
    .map((_, depth) => folders.slice(0, depth + 1).join('/'))
    .filter((folder) => !folder.endsWith('/.well-known'))
    .slice(-MAX_FOLDERS)
    .toReversed()
    .map((folder) => new URL(`${origin}${folder}/.well-known/openid-configuration`))
}

/** A document that is missing or has no issuer is none: discovery is optional. */
async function read(place: URL): Promise<Discovery | undefined> {
  try {
    const document = Object((await fetchJson(place)).json) as Record<string, unknown>
    const { issuer, jwks_uri: jwksUri, scopes_supported: scopes, claims_supported: claims } = document
    if (typeof issuer !== 'string' || !VISIBLE.test(issuer)) return undefined
    const isUrl = typeof jwksUri === 'string' && VISIBLE.test(jwksUri) && URL.canParse(jwksUri)
    return {
      issuer,
      jwksUri: isUrl ? new URL(jwksUri) : undefined,
      scopes: Array.isArray(scopes) ? scopes : undefined,
      claims: Array.isArray(claims) ? claims : undefined,
    }
  } catch {
    return undefined
  }
}
