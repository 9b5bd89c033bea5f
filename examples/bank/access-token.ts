import { z } from 'zod'

/** Whom a token is for: a service with its scopes, or a user. */
export type Bearer = { readonly client_id: string; readonly scope: string } | { readonly sub: string }

const Granted = z.object({ access_token: z.string() })

/**
 * From the issuer of a development set-up, which stands in for the bank's identity provider. In production a service has
 * `clientCredentials` of the kit in its place, and a user's token comes from signing in.
 */
export async function developmentToken(countersignUrl: string, bearer: Bearer): Promise<string> {
  const response = await fetch(new URL('/dev/token', countersignUrl), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(bearer),
  })
  if (!response.ok) throw new Error(`The development issuer answered ${response.status}`)
  return Granted.parse(await response.json()).access_token
}
