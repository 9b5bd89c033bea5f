import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, crmToken, mailsTo, openChallenge, paymentsToken, tokenOf, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const USER_ID = '5b1cd2f4-6b0c-4c36-9d1e-0a3f5c1d2e3f'

/** A service whose users a Keycloak keeps, which a test can change, take away or make silent. */
async function serviceWithKeycloak(t: ExecutionContext) {
  const user = { email: 'alice@example.com', enabled: true }
  const realm = { users: [user], status: 200 }
  const keycloak = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.statusCode = realm.status
    if (realm.status !== 200) response.end(JSON.stringify({ error: 'HTTP 4xx, 5xx' }))
    else if (request.url?.endsWith('/token')) {
      response.end(JSON.stringify({ access_token: 'kc', token_type: 'Bearer', expires_in: 60 }))
    } else if (realm.users.length === 0) {
      response.statusCode = 404
      response.end(JSON.stringify({ error: 'User not found' }))
    } else {
      response.end(JSON.stringify({ id: USER_ID, emailVerified: true, ...user }))
    }
  })
  await new Promise<void>((listening) => keycloak.listen(0, '127.0.0.1', listening))
  const database = await createTestDatabase()
  const home = await createDataDir()
  const service = await startProcess({
    DATABASE_URL: database.url,
    DATA_DIR: home.path,
    USER_DIRECTORY: 'keycloak',
    KEYCLOAK_URL: `http://127.0.0.1:${(keycloak.address() as AddressInfo).port}`,
    KEYCLOAK_REALM: 'bank',
    KEYCLOAK_CLIENT_ID: 'countersign',
    KEYCLOAK_CLIENT_SECRET: 'secret',
  })
  t.teardown(async () => {
    await service.end()
    keycloak.closeAllConnections()
    keycloak.close()
    await home.remove()
  })
  return { url: service.url, user, realm }
}

/** The answer to a consume, under a key of its own. */
async function consume(
  url: string,
  { consume: path, proof: json }: Awaited<ReturnType<typeof openChallenge>>,
) {
  const headers = { 'plmr-idempotency-key': randomUUID() }
  return call(url, 'POST', path, { token: await paymentsToken(url), headers, json })
}

test('users kept by Keycloak get their codes where Keycloak says, and are not changed here', async (t) => {
  const {
    url,
    user: { email },
  } = await serviceWithKeycloak(t)
  const token = await tokenOf(url, { sub: USER_ID })
  const challenge = await openChallenge(url, USER_ID)

  t.is((await call(url, 'POST', challenge.initiate, { token })).status, 204)
  const [mail] = await mailsTo(url, email)
  const json = { totp: codeIn(mail!) }
  t.is((await call(url, 'POST', challenge.verify, { token, json })).status, 204)

  const user = `/internal/v1/mfa/users/${USER_ID}`
  const change = await call(url, 'PUT', user, {
    token: await crmToken(url),
    json: { email: 'x@example.com' },
  })
  t.is(change.status, 405)
  t.is(change.headers.get('Allow'), 'HEAD, GET, DELETE')

  // What this service keeps is erased, and Keycloak keeps its own.
  const exported = async () => {
    const right = await tokenOf(url, { client_id: 'privacy', scope: 'mfa:users:export' })
    return JSON.stringify((await call(url, 'GET', `${user}/export`, { token: right })).body)
  }
  t.true((await exported()).includes(email))
  t.is((await call(url, 'DELETE', user, { token: await crmToken(url) })).status, 204)
  t.false((await exported()).includes(email))
})

test('an address that changes in Keycloak ends the challenge: reads show it, the next decision stores it', async (t) => {
  const { url, user } = await serviceWithKeycloak(t)
  const token = await tokenOf(url, { sub: USER_ID })
  const { id, initiate, verify } = await openChallenge(url, USER_ID)
  t.is((await call(url, 'POST', initiate, { token })).status, 204)
  const [mail] = await mailsTo(url, user.email)
  const path = `/internal/v1/mfa/challenges/${id}`
  const asClient = { token: await paymentsToken(url) }
  const cancellations = async () => {
    const { body } = await call(url, 'GET', `${path}/events`, asClient)
    const events = body.events as { type: string; actor: string; details: object }[]
    return events.filter(({ type }) => type === 'challenge-cancelled')
  }

  user.email = 'alice@elsewhere.example'

  // What Keycloak said is remembered for some seconds.
  await until(
    () => call(url, 'GET', path, { token }),
    ({ body }) => body.status === 'cancelled',
  )
  t.deepEqual(await cancellations(), [])
  const json = { totp: codeIn(mail!) }
  for (let n = 0; n < 2; n++) {
    const { status, body } = await call(url, 'POST', verify, { token, json })
    t.deepEqual([status, body.code], [410, 'urn:plmr:mfa-totp:api:STEP_UP_REQUEST_CONTEXT_NOT_FOUND'])
  }
  t.is((await call(url, 'POST', `${path}:cancel`, { token })).status, 204)
  const [cancellation, ...others] = await cancellations()
  t.like(cancellation, { actor: 'service', details: { reason: 'email-address-changed' } })
  t.deepEqual(others, [])
})

for (const what of ['disabled', 'gone']) {
  test(`a user who is ${what} at Keycloak confirms nothing any more, and nothing that they confirmed is carried out`, async (t) => {
    const { url, user, realm } = await serviceWithKeycloak(t)
    const token = await tokenOf(url, { sub: USER_ID })
    const [confirmed, pending] = [await openChallenge(url, USER_ID), await openChallenge(url, USER_ID)]
    for (const { initiate } of [confirmed, pending]) {
      t.is((await call(url, 'POST', initiate, { token })).status, 204)
    }
    const mails = await mailsTo(url, user.email, 2)
    const codes = mails.map((mail) => codeIn(mail))
    for (const totp of codes) {
      const { status } = await call(url, 'POST', confirmed.verify, { token, json: { totp } })
      if (status === 204) break
    }

    if (what === 'disabled') user.enabled = false
    else realm.users.length = 0

    const path = `/internal/v1/mfa/challenges/${confirmed.id}`
    await until(
      () => call(url, 'GET', path, { token }),
      ({ body }) => body.status === 'cancelled',
    )
    const consumed = await consume(url, confirmed)
    t.deepEqual(
      [consumed.status, consumed.body.code],
      [410, 'urn:plmr:mfa-challenge:api:CHALLENGE_CANCELLED'],
    )
    const again = await call(url, 'POST', pending.initiate, { token })
    t.deepEqual([again.status, again.body.code], [400, 'urn:plmr:mfa-totp:api:USER_NOT_FOUND'])
    const verified = await call(url, 'POST', pending.verify, { token, json: { totp: codes[0]! } })
    t.deepEqual(
      [verified.status, verified.body.code],
      [410, 'urn:plmr:mfa-totp:api:STEP_UP_REQUEST_CONTEXT_NOT_FOUND'],
    )
  })
}

test('a Keycloak that is silent, or refuses our login, is a 503 that ends nothing and costs no guess', async (t) => {
  const { url, user, realm } = await serviceWithKeycloak(t)
  const token = await tokenOf(url, { sub: USER_ID })
  const challenge = await openChallenge(url, USER_ID)
  t.is((await call(url, 'POST', challenge.initiate, { token })).status, 204)
  const [mail] = await mailsTo(url, user.email)
  const json = { totp: codeIn(mail!) }
  const path = `/internal/v1/mfa/challenges/${challenge.id}`

  for (const status of [503, 404, 401, 403]) {
    realm.status = status
    await until(
      () => call(url, 'GET', path, { token }),
      (reply) => reply.status === 503,
    )
    for (const [target, body] of [
      [challenge.initiate, undefined],
      [challenge.verify, json],
    ] as const) {
      const reply = await call(url, 'POST', target, { token, json: body })
      t.deepEqual([reply.status, reply.body.code], [503, 'urn:plmr:mfa-totp:api:INTERNAL_SERVER_ERROR'])
      t.is(reply.headers.get('Retry-After'), '2')
    }
    t.is((await consume(url, challenge)).status, 503)
    // A challenge asks nobody where its user is.
    await openChallenge(url, USER_ID)
  }

  realm.status = 200
  const { body } = await call(url, 'GET', path, { token })
  t.is(body.attemptsRemaining, 5)
  t.is((await call(url, 'POST', challenge.verify, { token, json })).status, 204)
  t.is((await consume(url, challenge)).status, 200)
})
