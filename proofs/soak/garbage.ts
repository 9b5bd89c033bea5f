import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Request } from './caller.ts'
import type { Dice } from './dice.ts'
import type { Place } from './place.ts'
import { User } from './user.ts'

type Garbage = Omit<Request, 'step'> & { readonly expected: readonly number[] }

const JSON_TYPE = { 'Content-Type': 'application/json' }
const CHALLENGES = '/internal/v1/mfa/challenges'

/** Input that no honest program sends. */
export async function sendGarbage(place: Place, dice: Dice): Promise<void> {
  const user = await User.of(place)
  const all = await garbageAbout(place, user)
  for (const { expected, ...request } of dice.shuffled(all).slice(0, 6)) {
    await place.caller.answered({ step: 'garbage', ...request }, expected)
  }
  if (dice.happens(0.5)) await sendHalf(place, dice)
}

async function garbageAbout({ tokens }: Place, user: User): Promise<Garbage[]> {
  const [payments, crm, own] = [
    await tokens.client('payments'),
    await tokens.client('crm'),
    await user.token(),
  ]
  const [head, body, signature] = own.split('.')
  const forged = `${head}.${body}.${randomBytes(signature!.length).toString('base64url').slice(0, signature!.length)}`
  const verify = `/internal/v1/mfa/totp-email/${randomUUID()}:verify`
  const initiate = verify.replace(':verify', ':initiate')
  const key = { 'plmr-idempotency-key': randomUUID() }
  return [
    { path: verify, json: { totp: '123456' }, expected: [401] },
    { path: initiate, token: forged, expected: [401] },
    { path: initiate, token: 'not a token', expected: [401] },
    { path: CHALLENGES, token: own, headers: key, json: {}, expected: [403] },
    { path: CHALLENGES, token: crm, headers: key, json: {}, expected: [403] },
    { path: CHALLENGES, token: payments, headers: key, json: { subjectUserId: user.id }, expected: [400] },
    { path: CHALLENGES, token: payments, headers: key, json: { subjectUserId: '\0' }, expected: [400] },
    { path: verify, token: own, json: { totp: 'x'.repeat(20_000) }, expected: [413] },
    { path: verify, token: own, json: { totp: 123456 }, expected: [400] },
    { path: verify, token: own, json: {}, expected: [400] },
    { path: verify, token: own, json: { totp: '1', more: true }, expected: [400] },
    { path: verify, token: own, body: '{"totp":', headers: JSON_TYPE, expected: [400] },
    { path: verify, token: own, body: 'totp=1', headers: { 'Content-Type': 'text/plain' }, expected: [415] },
    { path: verify, token: own, json: { totp: '123456' }, expected: [400] },
    { path: verify.toUpperCase(), token: own, expected: [404] },
    { path: '/internal/v1/mfa/totp-email/1:initiate', token: own, expected: [400] },
    { path: '/internal/v1/mfa/payments', token: own, expected: [404] },
    { path: initiate, method: 'PUT', token: own, expected: [405] },
    { path: `${CHALLENGES}/${randomUUID()}`, method: 'GET', token: payments, expected: [404] },
    { path: '/webhooks/postmark', json: { RecordType: 'Delivery' }, expected: [401] },
    {
      ...{ path: user.path, method: 'PUT', token: crm, expected: [400] },
      json: { email: 'a@example.com, b@example.com' },
    },
  ]
}

/** Closes the connection in the middle of a request, at once or after a silence. */
async function sendHalf({ caller }: Place, dice: Dice): Promise<void> {
  const { hostname, port } = new URL(caller.urlOf(dice.whole(0, 1)))
  const socket = connect({ host: hostname, port: Number(port) })
  // No process may listen, or the process may close the connection first.
  socket.on('error', () => {})
  const head = `POST ${CHALLENGES} HTTP/1.1\r\nHost: bank\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"subj`
  const connected = await Promise.race([
    once(socket, 'connect').then(
      () => true,
      () => false,
    ),
    once(socket, 'close').then(() => false),
  ])
  if (connected) {
    socket.write(head.slice(0, dice.whole(1, head.length)))
    await wait(dice.between(0, 3000))
  }
  socket.destroy()
}
