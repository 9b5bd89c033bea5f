import { z } from 'zod'
import { boundedFetch } from './bounded-fetch.ts'

const Granted = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().nonnegative().default(0),
})
/** So that no token ends on its way. */
const RENEW_BEFORE_END_IN_MS = 30_000
/**
 * A source of access tokens by the client credentials grant (RFC 6749 §4.4): asks once for all who wait, and again shortly before
 * the token's end. What it throws says the status of the token endpoint, and nothing that was sent or answered.
 */
export function clientCredentials(credentials) {
  let held
  return () => {
    if (held && performance.now() < held.renewAt) return held.token
    const asking = {
      renewAt: Number.POSITIVE_INFINITY,
      token: grant(credentials).then(({ access_token, expires_in }) => {
        asking.renewAt = performance.now() + expires_in * 1000 - RENEW_BEFORE_END_IN_MS
        return access_token
      }),
    }
    held = asking
    asking.token.catch(() => {
      asking.renewAt = 0
    })
    return asking.token
  }
}
async function grant(credentials) {
  const { tokenUrl, clientId, clientSecret, scope, timeoutInMs = 5000, fetch } = credentials
  const { status, text } = await boundedFetch(
    new URL(tokenUrl),
    {
      method: 'POST',
      headers: {
        Accept: 'application/json',
        Authorization: `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
    },
    { timeoutInMs, fetch },
  )
  if (status !== 200) throw new Error(`The token endpoint answered ${status}`)
  const { success, data } = Granted.safeParse(jsonOf(text))
  if (!success) throw new Error('The token endpoint did not answer with a bearer token')
  return data
}
/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function formEncoded(text) {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
function jsonOf(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
