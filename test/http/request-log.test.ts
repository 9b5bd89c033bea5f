import test from 'ava'
import { ALICE_TOKEN, edge } from './edge.ts'

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
      { route: `${ROUTE}\\:initiate`, method: 'POST', status: 204, code: undefined },
      { route: `${ROUTE}\\:verify`, method: 'POST', status: 400, code: 'INVALID_OTP' },
      { route: `${ROUTE}\\:initiate`, method: 'POST', status: 401, code: 'UNAUTHORIZED' },
      { route: '/healthz', method: 'GET', status: 200, code: undefined },
      { route: undefined, method: 'GET', status: 404, code: 'RESOURCE_UNKNOWN' },
      { route: undefined, method: 'DELETE', status: 405, code: 'RESOURCE_UNKNOWN' },
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
