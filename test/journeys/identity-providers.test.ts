import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { COUNTERSIGN, OpenIdProvider, signingKey } from '../support/openid-provider.ts'
import { PROVIDER_TOKENS } from '../support/provider-tokens.ts'
import { mailsTo, randomDigest } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const SCOPES = ['mfa:challenges:create', 'mfa:users:write']

// Keycloak proves a service by its session, and Cognito names the audience in its scopes alone.
for (const provider of ['keycloak', 'cognito'] as const) {
  test.serial(`a service and a user step up with the tokens that ${provider} gives them`, async (t) => {
    const { audience, userId, service: ofService, user: ofUser } = PROVIDER_TOKENS[provider]
    const openId = new OpenIdProvider(({ payload }, account) => {
      Object.assign(payload, account === undefined ? ofService(...SCOPES) : ofUser(...SCOPES))
      if (!payload.aud) Object.defineProperty(payload, 'aud', { value: 'none', enumerable: false })
    })
    await openId.start(signingKey('k1'))
    const home = await createDataDir()
    const countersign = await startProcess({
      DATABASE_URL: (await createTestDatabase()).url,
      DATA_DIR: home.path,
      AUTH_PROVIDER: provider,
      AUTH_ISSUER: openId.issuer,
      AUTH_AUDIENCE: audience,
      AUTH_JWKS_URL: (await openId.jwksUri()).href,
    })
    t.teardown(async () => {
      await countersign.end()
      await openId.stop()
      await home.remove()
    })
    const { url } = countersign
    const service = await openId.serviceToken()
    const user = (await openId.signIn(COUNTERSIGN)).access_token!

    const email = `${randomUUID()}@example.com`
    const users = `/internal/v1/mfa/users/${userId}`
    t.is((await call(url, 'PUT', users, { token: service, json: { email } })).status, 201)
    const challenge = {
      headers: { 'plmr-idempotency-key': randomUUID() },
      json: {
        subjectUserId: userId,
        operation: {
          type: 'payments.initiate',
          digest: randomDigest(),
          summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
        },
      },
    }
    const asUser = await call(url, 'POST', '/internal/v1/mfa/challenges', { ...challenge, token: user })
    const opened = await call(url, 'POST', '/internal/v1/mfa/challenges', { ...challenge, token: service })
    t.is(asUser.status, 403)
    t.is(opened.status, 201)

    const { initiate } = opened.body.methods[0]
    t.is((await call(url, 'POST', initiate, { token: service })).status, 403)
    t.is((await call(url, 'POST', initiate, { token: user })).status, 204)
    t.is((await mailsTo(url, email)).length, 1)
  })
}
