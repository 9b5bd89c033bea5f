import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { until } from '../../test/journeys/client.ts'
import { countingInbox } from '../../test/support/counting-inbox.ts'
import { startCountersign } from '../bench/countersign.ts'
import { layGround } from '../bench/ground.ts'
import type { Program } from '../processes.ts'
import { startNginx } from './nginx.ts'
import { startPgBouncer } from './pgbouncer.ts'

/*
 * `npm run rolling:prove`: runs two instances behind nginx and PgBouncer in transaction mode, with the configuration of deploy/, under
 * load. It restarts one after the other, several times, then rotates both keys the same way, and counts lost requests and mails. It
 * needs Debian's nginx-light and pgbouncer, and installs no service on the machine.
 */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, users: { type: 'string', default: '12' } },
})
const CHALLENGES = '/internal/v1/mfa/challenges'
/** The pause between two restarts, so that journeys run in each state. */
const BREATH_IN_MS = 1000

interface Instance {
  readonly port: number
  program: Program
}

const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const tally = { requests: 0, journeys: 0, mails: 0, failures: [] as string[] }
const codes = new Map<string, string>()
let keys = { otp: [newKey('k1')], signing: [newKey('s1')] }
let running = true

const ground = await layGround()
const inbox = await countingInbox(async ({ issuanceId, code }) => {
  tally.mails++
  codes.set(issuanceId, code)
})
const databaseUrl = await ground.createDatabase('rolling', 'migrated')
const db = new pg.Pool({ connectionString: databaseUrl, max: 4 })
const bouncer = await startPgBouncer(ground.folder, databaseUrl)
const ports = [await freePort(), await freePort()] as const
const instances: Instance[] = []
for (const port of ports) instances.push({ port, program: await startInstance(port) })
const proxy = await startNginx(ground.folder, ports)
const url = proxy.url
try {
  await prove()
} finally {
  running = false
  await proxy.stop()
  for (const { program } of instances) await program.stop()
  await bouncer.stop()
  await db.end()
  await inbox.close()
  await ground.leave()
}

async function prove(): Promise<void> {
  const users = Array.from({ length: Number(values.users) }, (_, n) => countersignOnAndOn(`user-${n}`))
  await wait(BREATH_IN_MS)
  for (let round = 1; round <= Number(values.rounds); round++) await restartAll(`rolling restart ${round}`)

  // All instances learn a new key before any instance uses it. The old key goes when nothing can depend on it any more. In practice
  // that is after the longest life of a challenge, and here after a second.
  const [otp, signing] = [newKey('k2'), newKey('s2')]
  keys = { otp: [...keys.otp, otp], signing: [...keys.signing, signing] }
  await restartAll('new keys made known')
  keys = { otp: keys.otp.toReversed(), signing: keys.signing.toReversed() }
  await restartAll('new keys used')
  keys = { otp: [otp], signing: [signing] }
  await restartAll('old keys taken away')

  running = false
  await Promise.all(users)
  await until(
    () => count(`SELECT count(*)::integer AS count FROM otp_issuances WHERE status <> 'sent'`),
    (unsent) => unsent === 0,
  )
  const issued = await count('SELECT count(*)::integer AS count FROM otp_issuances')
  const lost = issued - codes.size
  console.log(`
${tally.requests} requests, ${tally.failures.length} of them lost
${tally.journeys} journeys from challenge to consumption
${issued} codes issued, ${lost} mails lost, ${tally.mails - codes.size} mailed twice`)
  for (const failure of tally.failures.slice(0, 20)) console.log(`  ${failure}`)
  if (tally.failures.length > 0 || lost > 0) process.exitCode = 1
}

/** Takes one instance after the other out of use, stops it, starts it with the current keys, and puts it to use again. */
async function restartAll(what: string): Promise<void> {
  const before = { ...tally, failures: tally.failures.length }
  for (const instance of instances) {
    await proxy.without(instance.port)
    await instance.program.stop()
    instance.program = await startInstance(instance.port)
    await proxy.withAll()
    await wait(BREATH_IN_MS)
  }
  const [requests, journeys] = [tally.requests - before.requests, tally.journeys - before.journeys]
  const lost = tally.failures.length - before.failures
  console.log(`${what.padEnd(24)} ${requests} requests, ${journeys} journeys, ${lost} lost`)
}

async function startInstance(port: number): Promise<Program> {
  const program = await startCountersign(ground, bouncer.url, 1, {
    PORT: String(port),
    OTP_KEYS: keys.otp.join(','),
    SIGNING_KEYS: keys.signing.join(','),
    SMTP_URL: inbox.url,
    SUBJECT_MAX_ISSUANCES: '1000',
    MAILBOX_MAX_ISSUANCES: '1000',
    SUBJECT_MAX_CHALLENGES: '1000',
  })
  await until(
    async () => (await fetch(`${program.url}/readyz`)).status,
    (status) => status === 200,
  )
  return program
}

/** One user who confirms one payment after the other. Each request is sent once. */
async function countersignOnAndOn(userId: string): Promise<void> {
  const crm = await ground.token({ client_id: 'crm', sub: 'crm', scope: 'mfa:users:write' })
  const scope = 'mfa:challenges:create mfa:challenges:consume'
  const payments = await ground.token({ client_id: 'payments', sub: 'payments', scope })
  const user = await ground.token({ sub: userId })
  await request('PUT', `/internal/v1/mfa/users/${userId}`, crm, 201, { email: `${userId}@example.com` })
  while (running) if (await countersign(userId, payments, user)) tally.journeys++
}

async function countersign(userId: string, payments: string, user: string): Promise<boolean> {
  const digest = createHash('sha256').update(randomUUID()).digest('base64url')
  const operation = { type: 'payments.initiate', digest, summary: [{ label: 'Amount', value: 'EUR 1.00' }] }
  const opened = await request('POST', CHALLENGES, payments, 201, { subjectUserId: userId, operation })
  if (!opened) return false
  const { challengeId, signature, methods } = opened
  if (!(await request('POST', methods[0].initiate, user, 204))) return false
  const totp = await codeOf(challengeId)
  if (!(await request('POST', methods[0].verify, user, 204, { totp }))) return false
  const consume = `${CHALLENGES}/${challengeId}:consume`
  return Boolean(await request('POST', consume, payments, 200, { signature, digest }))
}

async function codeOf(challengeId: string): Promise<string> {
  const { rows } = await db.query('SELECT id FROM otp_issuances WHERE challenge_id = $1', [challengeId])
  return (await until(async () => codes.get(rows[0].id), Boolean))!
}

/** The answer. If it is not the expected one, records a failure and returns undefined. */
async function request(method: string, path: string, token: string, expected: number, body?: object) {
  tally.requests++
  const what = `${method} ${path.replaceAll(/[0-9a-f-]{36}/g, '…')}`
  try {
    const { status, text: answer } = await exchange(method, path, token, body && JSON.stringify(body))
    if (status === expected) return answer === '' ? {} : JSON.parse(answer)
    tally.failures.push(`${what} was answered ${status} ${answer.slice(0, 200)}`)
  } catch (error) {
    tally.failures.push(`${what} was not answered: ${String(error)}`)
  }
  return undefined
}

/**
 * Uses a connection of its own. A reload of nginx closes idle connections, and a client that sends on one at that moment must send
 * again (RFC 9112 §9.3.1). That has nothing to do with the instances.
 */
async function exchange(method: string, path: string, token: string, body: string | undefined) {
  const sent = ask(`${url}${path}`, {
    method,
    agent: false,
    headers: {
      Authorization: `Bearer ${token}`,
      'plmr-idempotency-key': randomUUID(),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
  }).end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, text: await text(response) }
}

async function count(sql: string): Promise<number> {
  const { rows } = await db.query(sql)
  return rows[0].count
}
