import { createHmac, hash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import pg from 'pg'
import { pino } from 'pino'
import { v7 } from 'uuid'
import { hasIssuance, issuanceOf } from '../../src/adapters/persistence-prisma/otp-outbox/issuance-row.ts'
import { challengeOf } from '../../src/adapters/persistence-prisma/step-ups/challenge-row.ts'
import { standingOf } from '../../src/adapters/persistence-prisma/step-ups/standing-row.ts'
import {
  loadStepUp,
  saveDecision,
} from '../../src/adapters/persistence-prisma/step-ups/step-up-statements.ts'
import { userOf } from '../../src/adapters/persistence-prisma/users/user-row.ts'
import { bucketInId, idInBucketOf } from '../../src/domain/bucket.ts'
import type { Challenge } from '../../src/domain/challenge.ts'
import type { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp, type StepUpDecision } from '../../src/domain/step-up.ts'
import { POLICY } from './settings.ts'

/*
 * The floor: the least that initiate and verify can cost. It makes the same decisions and runs the same statements as the service.
 * It also checks an access token and logs a line for each request, as in production. But it is written directly on node:http, pg,
 * jose and pino, with one `if` a route, almost no input checks, and a code computed by hand.
 */

const { DATABASE_URL, JWKS_URL, ISSUER, AUDIENCE, OTP_KEY } = process.env as Record<string, string>
const pool = new pg.Pool({ connectionString: DATABASE_URL!, max: 10 })
const keys = createRemoteJWKSet(new URL(JWKS_URL!))
const otpKey = Buffer.from(OTP_KEY!, 'base64')
const logger = pino({ base: { pid: process.pid } })

const LOAD = loadStepUp({ id: '', bucket: 0 }).text

async function load(challengeId: string) {
  const { rows } = await pool.query({
    name: 'load',
    text: LOAD,
    values: [challengeId, bucketInId(challengeId)],
  })
  const row = rows[0]
  return {
    challenge: challengeOf(row),
    standing: standingOf(row),
    issuance: hasIssuance(row) ? issuanceOf(row) : undefined,
    user: userOf(row),
  }
}

let saveText: string | undefined
async function save(decision: StepUpDecision, userId: string): Promise<boolean> {
  const sql = saveDecision(decision, { actor: `user:${userId}` })
  saveText ??= sql.text
  const { rows } = await pool.query({ name: 'save', text: saveText, values: sql.values })
  return rows.length === 1
}

async function initiate(challengeId: string, userId: string): Promise<number> {
  const { user, ...stepUp } = await load(challengeId)
  if (stepUp.challenge.subjectUserId !== userId) return 400
  const demand = { id: idInBucketOf(userId, v7()), keyId: 'k1', recipient: user.email }
  return (await save(StepUp.issueOtp(stepUp, demand, POLICY, new Date()), userId)) ? 204 : 500
}

async function verify(challengeId: string, userId: string, code: string): Promise<number> {
  const { user, ...stepUp } = await load(challengeId)
  if (stepUp.challenge.subjectUserId !== userId) return 400
  const matches = (issuance: OtpIssuance) => codeMatches(code, issuance, stepUp.challenge)
  const notice = { id: idInBucketOf(userId, v7()), address: user.email }
  const [decision, { outcome }] = StepUp.verifyOtp(stepUp, matches, notice, POLICY, new Date())
  return (await save(decision, userId)) && outcome === 'verified' ? 204 : 400
}

/** RFC 6238 at step 0 and RFC 4226 §5.3, over the same seed as the service. */
function codeMatches(code: string, issuance: OtpIssuance, challenge: Challenge): boolean {
  const { id, clientId, subjectUserId, operation } = challenge
  const context = JSON.stringify([
    'countersign/otp/1',
    id,
    clientId,
    subjectUserId,
    operation.type,
    operation.digest,
    operation.summary.map(({ label, value }) => [label, value]),
    issuance.recipient,
    issuance.number,
    issuance.issuedAt.toISOString(),
    issuance.expiresAt.toISOString(),
  ])
  const seed = hkdfSync('sha256', otpKey, issuance.id, hash('sha256', context, 'buffer'), 32)
  const mac = createHmac('sha256', Buffer.from(seed)).update(Buffer.alloc(8)).digest()
  const offset = mac.at(-1)! & 15
  const expected = String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
  return timingSafeEqual(Buffer.from(code), Buffer.from(expected))
}

async function answer(request: IncomingMessage): Promise<number> {
  const token = request.headers.authorization!.slice('Bearer '.length)
  const { payload } = await jwtVerify(token, keys, { issuer: ISSUER!, audience: AUDIENCE! })
  const [, challengeId, verb] = /([^/:]+):(\w+)$/.exec(request.url!)!
  if (verb === 'initiate') return initiate(challengeId!, payload.sub!)

  let text = ''
  for await (const chunk of request) text += chunk
  return verify(challengeId!, payload.sub!, JSON.parse(text).totp)
}

const server = createServer(async (request, response) => {
  const startedAt = performance.now()
  let status = 500
  try {
    status = await answer(request)
  } catch (error) {
    logger.error({ err: error }, 'failed')
  }
  response.writeHead(status).end()
  logger.info(
    { method: request.method, route: request.url, status, durationInMs: performance.now() - startedAt },
    'request',
  )
})

process.once('SIGTERM', () => process.exit())
server.listen(0, '127.0.0.1')
await once(server, 'listening')
logger.info({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, 'ready')
