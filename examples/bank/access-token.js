import { z } from 'zod'

const Granted = z.object({ access_token: z.string() })
/**
 * From the issuer of a development set-up, which stands in for the bank's identity provider. In production a service has
 * `clientCredentials` of the kit in its place, and a user's token comes from signing in.
 */
export async function developmentToken(countersignUrl, bearer) {
  const response = await fetch(new URL('/dev/token', countersignUrl), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(bearer),
  })
  if (!response.ok) throw new Error(`The development issuer answered ${response.status}`)
  return Granted.parse(await response.json()).access_token
}
