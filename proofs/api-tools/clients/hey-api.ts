import { client } from '../generated/hey-api/client.gen.ts'
import * as api from '../generated/hey-api/sdk.gen.ts'
import { zDemand, zDirectoryEntry } from '../generated/hey-api/zod.gen.ts'
import { expected, journey, mailsIn } from './journey.ts'

client.setConfig({ baseUrl: process.argv[2]! })

/** Only an answer has a status: without a connection there is no response. */
const statusOf = (response: Response | undefined) => response?.status ?? 0

const steps = await journey({
  async issueToken(request) {
    const { data, error } = await api.issueDevelopmentToken({ body: request })
    return expected(data, error).access_token
  },
  async putUser(token, userId, email) {
    const { response } = await api.putUser({
      auth: token,
      path: { userId },
      body: zDirectoryEntry.parse({ email, locale: 'en', displayName: 'Alice \u{1f600} Smith' }),
    })
    return statusOf(response)
  },
  async openChallenge(token, key, demand) {
    const { data, error, response } = await api.openChallenge({
      auth: token,
      headers: { 'plmr-idempotency-key': key },
      body: zDemand.parse(demand),
    })
    return { ...expected(data, error), status: statusOf(response) }
  },
  async initiate(token, challengeId) {
    const { response } = await api.initiateEmail({ auth: token, path: { challengeId } })
    return statusOf(response)
  },
  async mailsTo(address) {
    const { data, error } = await api.readDevelopmentMailbox({ query: { to: address } })
    return mailsIn(expected(data, error))
  },
  async verify(token, challengeId, totp) {
    const { error, response } = await api.verifyEmail({ auth: token, path: { challengeId }, body: { totp } })
    return { status: statusOf(response), code: error?.code }
  },
  async consume(token, key, challengeId, proof) {
    const { data, error, response } = await api.consumeChallenge({
      auth: token,
      headers: { 'plmr-idempotency-key': key },
      path: { challengeId },
      body: proof,
    })
    return { status: statusOf(response), authorisation: expected(data, error).authorisation }
  },
  async cancel(token, challengeId) {
    const { response } = await api.cancelChallenge({ auth: token, path: { challengeId } })
    return statusOf(response)
  },
})
console.log(JSON.stringify(steps))
