import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, crmToken, mailsTo, openChallenge, tokenOf } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const USER_ID = '5b1cd2f4-6b0c-4c36-9d1e-0a3f5c1d2e3f'

test('users kept by Keycloak get their codes where Keycloak says, and are not changed here', async (t) => {
  const email = 'alice@example.com'
  const keycloak = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    if (request.url?.endsWith('/token')) {
      response.end(JSON.stringify({ access_token: 'kc', token_type: 'Bearer', expires_in: 60 }))
    } else {
      response.end(JSON.stringify({ id: USER_ID, enabled: true, emailVerified: true, email }))
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
  const { url } = service
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
  t.is(change.headers.get('Allow'), 'HEAD, GET')
})
