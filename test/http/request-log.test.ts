import test from 'ava'
import { TRANSFER } from '../domain/examples.ts'
import { ALICE_TOKEN, edge, PAYMENTS_TOKEN } from './edge.ts'

const ID = '0197a000-0000-7000-8000-0000000000c1'
const ROUTE = '/internal/v1/mfa/totp-email/:challengeId'

test('an observer is told of every request, by the pattern of its route and the short code of its answer', async (t) => {
  const { open, initiate, verifyJson, call, answered } = await edge(t)
  const id = await open()
  await initiate(id)
  await verifyJson(id, { totp: '999999' })
  await initiate(ID, 'nobody')
  await call('GET', '/healthz')
  await call('GET', `/secret-${ID}`)
  await call('DELETE', `/internal/v1/mfa/totp-email/${ID}:verify`, { token: ALICE_TOKEN })

  t.true(answered.every(({ durationInSeconds }) => durationInSeconds > 0 && durationInSeconds < 60))
  t.deepEqual(
    answered.map(({ durationInSeconds, ...request }) => request),
    [
      { route: `${ROUTE}\\:initiate`, method: 'POST', status: 204, code: undefined, refusal: undefined },
      { route: `${ROUTE}\\:verify`, method: 'POST', status: 400, code: 'INVALID_OTP', refusal: undefined },
      {
        route: `${ROUTE}\\:initiate`,
        method: 'POST',
        status: 401,
        code: 'UNAUTHORIZED',
        refusal: 'not one of ours',
      },
      { route: '/healthz', method: 'GET', status: 200, code: undefined, refusal: undefined },
      { route: undefined, method: 'GET', status: 404, code: 'RESOURCE_UNKNOWN', refusal: undefined },
      { route: undefined, method: 'DELETE', status: 405, code: 'RESOURCE_UNKNOWN', refusal: undefined },
    ],
  )
})

test('the line of a request whose token was refused says why, and its answer does not', async (t) => {
  const { open, initiate, logLines } = await edge(t)
  const id = await open()
  const reply = await initiate(id, 'forged.token-of-mallory')
  await initiate(id)

  const [refused, good] = logLines.filter(({ msg }) => msg === 'request')
  t.like(refused, { status: 401, code: 'UNAUTHORIZED', refusal: 'not one of ours' })
  t.false('refusal' in good!)
  t.false(JSON.stringify(reply.body).includes('ours'))
  t.false(JSON.stringify(logLines).includes('mallory'))
})

test('the line of a request names the user whom it is about, and not who only says to be them', async (t) => {
  const { call, open, initiate, verifyJson, logLines } = await edge(t)
  const id = await open()
  await initiate(id)
  await verifyJson(id, { totp: '999999' })
  await initiate(id, 'user.mallory')
  await call('GET', `/internal/v1/mfa/users/bob`, { token: 'client.crm.mfa_users_read' })
  await call('GET', '/healthz')

  t.deepEqual(
    logLines
      .filter(({ msg }) => msg === 'request')
      .map(({ caller, subject, challengeId }) => ({ caller, subject, challengeId })),
    [
      { caller: 'user:alice', subject: 'alice', challengeId: id },
      { caller: 'user:alice', subject: 'alice', challengeId: id },
      { caller: 'user:mallory', subject: undefined, challengeId: id },
      { caller: 'client:crm', subject: 'bob', challengeId: undefined },
      { caller: undefined, subject: undefined, challengeId: undefined },
    ],
  )
})

test("a client's challenge is logged with its subject when it is opened and when it is read", async (t) => {
  const { call, logLines } = await edge(t)
  const { body } = await call('POST', '/internal/v1/mfa/challenges', {
    token: PAYMENTS_TOKEN,
    headers: { 'plmr-idempotency-key': 'k' },
    json: { subjectUserId: 'alice', operation: TRANSFER },
  })
  await call('GET', `/internal/v1/mfa/challenges/${body.challengeId}`, { token: PAYMENTS_TOKEN })

  const lines = logLines.filter(({ msg }) => msg === 'request')
  t.is(lines.length, 2)
  for (const line of lines) t.like(line, { subject: 'alice', challengeId: body.challengeId })
})
