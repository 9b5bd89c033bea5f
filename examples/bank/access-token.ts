import { z } from 'zod'

/** The party that a token identifies: a service with its scopes, or a user. */
export type Bearer = { readonly client_id: string; readonly scope: string } | { readonly sub: string }

const Granted = z.object({ access_token: z.string() })

/**
 * Gets a token from the issuer of a development set-up, which replaces the bank's identity provider. In production, a
 * service uses the kit's `clientCredentials` instead, and users get their tokens when they sign in.
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
