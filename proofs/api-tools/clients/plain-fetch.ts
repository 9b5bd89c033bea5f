import type { Client, Consumed, Opened } from './client.ts'

/** The same calls without a generated client, for what stands between a client and the service. */
export function plainClient(url: string): Client {
  async function call<Body>(
    method: string,
    path: string,
    { token, json, key }: { token?: string; json?: unknown; key?: string } = {},
  ): Promise<{ status: number; body: Body }> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(key === undefined ? {} : { 'plmr-idempotency-key': key }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const challenges = '/internal/v1/mfa/challenges'
  const stepUp = '/internal/v1/mfa/totp-email'

  return {
    async issueToken(request) {
      const { body } = await call<{ access_token: string }>('POST', '/dev/token', { json: request })
      return body.access_token
    },
    async putUser(token, userId, email) {
      const json = { email, locale: 'en', displayName: 'Alice Smith' }
      return (await call('PUT', `/internal/v1/mfa/users/${userId}`, { token, json })).status
    },
    async openChallenge(token, key, demand) {
      const { status, body } = await call<Opened>('POST', challenges, { token, key, json: demand })
      return { ...body, status }
    },
    async initiate(token, challengeId) {
      return (await call('POST', `${stepUp}/${challengeId}:initiate`, { token })).status
    },
    async mailsTo(address) {
      return (await call<{ text: string }[]>('GET', `/dev/mailbox?to=${encodeURIComponent(address)}`)).body
    },
    async verify(token, challengeId, totp) {
      const { status, body } = await call<{ code: string } | undefined>(
        'POST',
        `${stepUp}/${challengeId}:verify`,
        { token, json: { totp } },
      )
      return { status, code: body?.code }
    },
    async consume(token, key, challengeId, proof) {
      const path = `${challenges}/${challengeId}:consume`
      const { status, body } = await call<Consumed>('POST', path, { token, key, json: proof })
      return { status, authorisation: body.authorisation }
    },
    async cancel(token, challengeId) {
      return (await call('POST', `${challenges}/${challengeId}:cancel`, { token })).status
    },
  }
}
