import * as api from '../generated/orval/client.ts'
import { journey, mailsIn } from './journey.ts'

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

const steps = await journey({
  async issueToken(request) {
    const answer = await api.issueDevelopmentToken(request)
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.data))
    return answer.data.access_token
  },
  async putUser(token, userId, email) {
    const entry = { email, locale: 'en', displayName: 'Alice Smith' }
    return (await api.putUser(userId, entry, { headers: bearer(token) })).status
  },
  async openChallenge(token, key, demand) {
    const headers = { ...bearer(token), 'plmr-idempotency-key': key }
    const answer = await api.openChallenge(demand, { headers })
    if (answer.status !== 201 && answer.status !== 200) throw new Error(JSON.stringify(answer.data))
    return { ...answer.data, status: answer.status }
  },
  async initiate(token, challengeId) {
    return (await api.initiateEmail(challengeId, { headers: bearer(token) })).status
  },
  async mailsTo(address) {
    const { data } = await api.readDevelopmentMailbox({ to: address })
    return mailsIn(data)
  },
  async verify(token, challengeId, totp) {
    const answer = await api.verifyEmail(challengeId, { totp }, { headers: bearer(token) })
    return { status: answer.status, code: answer.status === 204 ? undefined : answer.data.code }
  },
  async consume(token, key, challengeId, proof) {
    const headers = { ...bearer(token), 'plmr-idempotency-key': key }
    const answer = await api.consumeChallenge(challengeId, proof, { headers })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.data))
    return { status: answer.status, authorisation: answer.data.authorisation }
  },
  async cancel(token, challengeId) {
    return (await api.cancelChallenge(challengeId, { headers: bearer(token) })).status
  },
})
console.log(JSON.stringify(steps))
