import createClient from 'openapi-fetch'
import type { paths } from '../generated/openapi-fetch/schema.d.ts'
import { expected, journey, mailsIn } from './journey.ts'

const api = createClient<paths>({ baseUrl: process.argv[2]! })
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

const steps = await journey({
  async issueToken(request) {
    const { data, error } = await api.POST('/dev/token', { body: request })
    return expected(data, error).access_token
  },
  async putUser(token, userId, email) {
    const { response } = await api.PUT('/internal/v1/mfa/users/{userId}', {
      params: { path: { userId } },
      headers: bearer(token),
      body: { email, locale: 'en', displayName: 'Alice Smith' },
    })
    return response.status
  },
  async openChallenge(token, key, demand) {
    const { data, error, response } = await api.POST('/internal/v1/mfa/challenges', {
      params: { header: { 'plmr-idempotency-key': key } },
      headers: bearer(token),
      body: demand,
    })
    return { ...expected(data, error), status: response.status }
  },
  async initiate(token, challengeId) {
    const { response } = await api.POST('/internal/v1/mfa/totp-email/{challengeId}:initiate', {
      params: { path: { challengeId } },
      headers: bearer(token),
    })
    return response.status
  },
  async mailsTo(address) {
    const { data, error } = await api.GET('/dev/mailbox', { params: { query: { to: address } } })
    return mailsIn(expected(data, error))
  },
  async verify(token, challengeId, totp) {
    const { error, response } = await api.POST('/internal/v1/mfa/totp-email/{challengeId}:verify', {
      params: { path: { challengeId } },
      headers: bearer(token),
      body: { totp },
    })
    return { status: response.status, code: error?.code }
  },
  async consume(token, key, challengeId, proof) {
    const { data, error, response } = await api.POST('/internal/v1/mfa/challenges/{challengeId}:consume', {
      params: { path: { challengeId }, header: { 'plmr-idempotency-key': key } },
      headers: bearer(token),
      body: proof,
    })
    return { status: response.status, authorisation: expected(data, error).authorisation }
  },
  async cancel(token, challengeId) {
    const { response } = await api.POST('/internal/v1/mfa/challenges/{challengeId}:cancel', {
      params: { path: { challengeId } },
      headers: bearer(token),
    })
    return response.status
  },
})
console.log(JSON.stringify(steps))
