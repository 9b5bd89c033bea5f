import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { createTestDatabase, missingDatabaseUrl, query, serverUrl } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, registerUser } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const AFTER_RESTORE = new URL('../../deploy/postgresql/after-restore.sql', import.meta.url)
const nameOf = (url: string) => new URL(url).pathname.slice(1)

/** The database as it is now, which nobody may be connected to. */
async function backUp(url: string): Promise<string> {
  const copy = missingDatabaseUrl()
  await query(serverUrl(), `CREATE DATABASE ${nameOf(copy)} TEMPLATE ${nameOf(url)}`)
  return copy
}

test('what was consumed after a backup was taken cannot be consumed again from it, once it is made ready', async (t) => {
  const dataDir = await createDataDir()
  t.teardown(() => dataDir.remove())
  const { url: live } = await createTestDatabase()
  const on = (DATABASE_URL: string) => startProcess({ DATABASE_URL, DATA_DIR: dataDir.path })

  const before = await on(live)
  const { url } = before
  const user = await registerUser(url)
  const [approved, pending] = [await openChallenge(url, user.userId), await openChallenge(url, user.userId)]
  await call(url, 'POST', approved.initiate, { token: user.token })
  const [mail] = await mailsTo(url, user.email)
  const json = { totp: codeIn(mail!) }
  t.is((await call(url, 'POST', approved.verify, { token: user.token, json })).status, 204)
  await before.end()
  const [backup, careless] = [await backUp(live), await backUp(live)]

  const consumedOn = async (databaseUrl: string) => {
    const service = await on(databaseUrl)
    const token = await paymentsToken(service.url)
    const headers = { 'plmr-idempotency-key': randomUUID() }
    const reply = await call(service.url, 'POST', approved.consume, { token, headers, json: approved.proof })
    const initiated = await call(service.url, 'POST', pending.initiate, { token: user.token })
    const { body } = await call(service.url, 'GET', `/internal/v1/mfa/challenges/${approved.id}/events`, {
      token,
    })
    await service.end()
    return { reply, initiated, last: body.events.at(-1) }
  }

  t.is((await consumedOn(live)).reply.status, 200)
  // The danger: the same approval, a second time.
  t.is((await consumedOn(careless)).reply.status, 200)
  await query(backup, await readFile(AFTER_RESTORE, 'utf8'))
  const { reply, initiated, last } = await consumedOn(backup)
  t.is(reply.status, 410)
  t.is(reply.body.code, 'urn:plmr:mfa-challenge:api:CHALLENGE_CANCELLED')
  t.is(initiated.status, 400)
  t.like(last, { type: 'challenge-cancelled', actor: 'operator', details: { reason: 'restored' } })
})
