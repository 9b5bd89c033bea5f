import test, { type ExecutionContext } from 'ava'
import { createTestDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, registerUser, tokenOf, until } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* What the support does for a user, over HTTP, with two processes on one database. */

const MFA = '/internal/v1/mfa'
const UNLOCKED = 'Confirmations are unlocked again'

async function started(t: ExecutionContext) {
  const { url: databaseUrl } = await createTestDatabase()
  const dataDir = await createDataDir()
  const env = { DATABASE_URL: databaseUrl, DATA_DIR: dataDir.path }
  const services: ServiceProcess[] = []
  t.teardown(async () => {
    await Promise.all(services.map((service) => service.end()))
    await dataDir.remove()
  })
  // One after the other: they share a folder of keys, which the first makes.
  while (services.length < 2) services.push(await startProcess(env))
  const { url } = services[0]!
  const desk = await tokenOf(url, {
    client_id: 'desk',
    scope: 'mfa:support:read mfa:support:write mfa:users:export',
  })
  return { services, databaseUrl, url, desk }
}

test('a locked user calls: of forty calls at two processes one ends the lock, one mail says so, and the next code counts', async (t) => {
  const { services, databaseUrl, url, desk } = await started(t)
  const { userId, email, token } = await registerUser(url)
  const { id, verify } = await openChallenge(url, userId)
  for (let failure = 1; failure <= 5; failure++) {
    await call(url, 'POST', verify, { token, json: { totp: 'wrong' } })
  }
  const user = `${MFA}/users/${userId}`
  const standing = async () => (await call(url, 'GET', `${user}/standing`, { token: desk })).body
  t.truthy((await standing()).lockedUntil)

  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      call(services[n % 2]!.url, 'POST', `${user}:unlock`, { token: desk }),
    ),
  )

  t.true(answers.every(({ status }) => status === 204))
  t.is((await standing()).lockedUntil, null)
  const events = await query(
    databaseUrl,
    `SELECT actor FROM challenge_events WHERE type = 'subject-unlocked'`,
  )
  t.deepEqual(events, [{ actor: 'client:desk' }])
  const isMeant = ({ subject }: { subject: string }) => subject === UNLOCKED
  const [mail] = await mailsTo(url, email, 1, isMeant)
  t.notRegex(mail!.text, /\d{6}|https?:|@/)
  await until(
    () => query(databaseUrl, `SELECT status FROM security_notices WHERE kind = 'subject-unlocked'`),
    (notices) => JSON.stringify(notices) === '[{"status":"sent"}]',
  )
  t.is((await mailsTo(url, email, 1, isMeant)).length, 1)

  const second = await openChallenge(url, userId)
  t.is((await call(url, 'POST', second.initiate, { token })).status, 204)
  const [code] = await mailsTo(url, email, 1, ({ subject }) => /code/.test(subject))
  t.is((await call(url, 'POST', second.verify, { token, json: { totp: codeIn(code!) } })).status, 204)

  const { body } = await call(url, 'GET', `${MFA}/challenges?subjectUserId=${userId}`, { token: desk })
  t.deepEqual(
    body.challenges.map(({ challengeId, status }: Record<string, string>) => [challengeId, status]),
    [
      [second.id, 'verified'],
      [id, 'exhausted'],
    ],
  )
})

test('an erased user is in no export any more, except by id, and no code was ever in one', async (t) => {
  const { url, desk } = await started(t)
  const { userId, email, token } = await registerUser(url)
  const { initiate } = await openChallenge(url, userId)
  await call(url, 'POST', initiate, { token })
  const [mail] = await mailsTo(url, email)
  const exported = async () => {
    const { status, body } = await call(url, 'GET', `${MFA}/users/${userId}/export`, { token: desk })
    t.is(status, 200)
    return body
  }

  const before = await exported()
  t.like(before.tables.users, { 0: { user_id: userId, email }, length: 1 })
  t.is(before.tables.otp_issuances[0].recipient, email)
  t.false(new RegExp(`\\b${codeIn(mail!)}\\b`).test(JSON.stringify(before)))

  const crm = await tokenOf(url, { client_id: 'crm', scope: 'mfa:users:write' })
  t.is((await call(url, 'DELETE', `${MFA}/users/${userId}`, { token: crm })).status, 204)

  // The mail that tells the old address of it loses that address once it is sent.
  const after = await until(exported, (body) => !JSON.stringify(body).includes(email))
  t.deepEqual(after.tables.users, [])
  t.is(after.tables.challenge_events.at(-1).subject_user_id, userId)
})
