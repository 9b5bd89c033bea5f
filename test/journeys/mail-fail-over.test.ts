import test from 'ava'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { type Arrival, countingInbox } from '../support/counting-inbox.ts'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { openChallenge, registerUser, until } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

test('while Postmark is away the codes come over SMTP, at once and once each', async (t) => {
  const database = await createTestDatabase()
  const dataDir = await createDataDir()
  const arrivals: Arrival[] = []
  const inbox = await countingInbox(async (arrival) => void arrivals.push(arrival))
  const service = await startProcess({
    DATABASE_URL: database.url,
    DATA_DIR: dataDir.path,
    MAIL_TRANSPORT: 'postmark,smtp',
    POSTMARK_API_URL: `http://127.0.0.1:${await freePort()}`,
    POSTMARK_SERVER_TOKEN: 'token',
    SMTP_URL: inbox.url,
  })
  t.teardown(async () => {
    await service.end()
    await inbox.close()
    await dataDir.remove()
  })

  // The fourth finds Postmark resting.
  for (let count = 1; count <= 4; count++) {
    const user = await registerUser(service.url)
    const challenge = await openChallenge(service.url, user.userId)
    await call(service.url, 'POST', challenge.initiate, { token: user.token })
    const [code] = await until(
      async () => arrivals.slice(count - 1).map((arrival) => arrival.code),
      (codes) => codes.length > 0,
    )
    const verify = await call(service.url, 'POST', challenge.verify, {
      token: user.token,
      json: { totp: code },
    })
    t.is(verify.status, 204)
    t.false(service.output().includes(user.email))
  }

  t.is(arrivals.length, 4)
  await until(
    async () => service.output(),
    (output) => output.match(/mail attempt/g)?.length === 4,
  )
  t.is(service.output().match(/mail failed over/g)?.length, 4)
  t.is(service.output().match(/mail transport rests/g)?.length, 1)
  t.is(service.output().match(/outcome: "sent"/g)?.length, 4)
})
