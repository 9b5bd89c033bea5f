import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import {
  codeIn,
  crmToken,
  demandChallenge,
  mailsTo,
  openChallenge,
  paymentsToken,
  randomDigest,
  registerUser,
  wrongCode,
} from '../../test/journeys/client.ts'
import { call, type Reply } from '../../test/support/http-call.ts'
import type { Family, TroubledService } from './troubled-service.ts'

/** A prepared call that decides something. */
export interface Attempt {
  send(): Promise<Reply>
  /** How many times its decision is stored. */
  stored(): Promise<number>
}

/** A kind of call on the way from challenge to consumption. */
export interface Step {
  readonly name: string
  readonly family: Family
  /** The statements that it reads with (if it reads) and stores with. */
  readonly load?: string
  readonly save: string
  /** The answer without a fault. */
  readonly status: number
  /** The answer to a repeat after the decision was stored. */
  readonly again: number
  /** How many times it is stored after two calls. A second guess counts as a guess. */
  readonly storedByTwo: number
  prepare(service: TroubledService): Promise<Attempt>
}

export const STEPS: readonly Step[] = [
  {
    name: 'create',
    family: 'mfa-challenge',
    save: 'step-ups.open',
    status: 201,
    again: 200,
    storedByTwo: 1,
    prepare: async ({ url, db }) => {
      const { userId } = await registerUser(url)
      const [digest, key] = [randomDigest(), randomUUID()]
      return {
        send: () => demandChallenge(url, userId, digest, key),
        stored: () => count(db, 'SELECT 1 FROM challenges WHERE idempotency_key = $1', key),
      }
    },
  },
  {
    name: 'initiate',
    family: 'mfa-totp',
    load: 'step-ups.load',
    save: 'step-ups.save',
    status: 204,
    again: 429,
    storedByTwo: 1,
    prepare: async ({ url, db }) => {
      const { userId, token } = await registerUser(url)
      const { id, initiate } = await openChallenge(url, userId)
      return {
        send: () => call(url, 'POST', initiate, { token }),
        stored: () => count(db, 'SELECT 1 FROM otp_issuances WHERE challenge_id = $1', id),
      }
    },
  },
  {
    name: 'a wrong verify',
    family: 'mfa-totp',
    load: 'step-ups.load',
    save: 'step-ups.save',
    status: 400,
    again: 400,
    storedByTwo: 2,
    prepare: async (service) => {
      const { url, db } = service
      const { challenge, token, code } = await issued(service)
      return {
        send: () => call(url, 'POST', challenge.verify, { token, json: { totp: wrongCode(code) } }),
        stored: () =>
          count(
            db,
            `SELECT generate_series(1, 5 - c.attempts_remaining)
             FROM challenges c JOIN subject_standings s USING (subject_user_id)
             WHERE c.id = $1 AND 5 - c.attempts_remaining = s.consecutive_failures`,
            challenge.id,
          ),
      }
    },
  },
  {
    name: 'verify',
    family: 'mfa-totp',
    load: 'step-ups.load',
    save: 'step-ups.save',
    status: 204,
    again: 410,
    storedByTwo: 1,
    prepare: async (service) => {
      const { url, db } = service
      const { challenge, token, code } = await issued(service)
      return {
        send: () => call(url, 'POST', challenge.verify, { token, json: { totp: code } }),
        stored: () => events(db, challenge.id, 'challenge-verified'),
      }
    },
  },
  {
    name: 'consume',
    family: 'mfa-challenge',
    load: 'step-ups.load',
    save: 'step-ups.save',
    status: 200,
    again: 200,
    storedByTwo: 1,
    prepare: async (service) => {
      const { url, db } = service
      const { challenge, token, code } = await issued(service)
      await call(url, 'POST', challenge.verify, { token, json: { totp: code } })
      const headers = { 'plmr-idempotency-key': randomUUID() }
      const client = await paymentsToken(url)
      return {
        send: () => call(url, 'POST', challenge.consume, { token: client, json: challenge.proof, headers }),
        stored: () => events(db, challenge.id, 'challenge-consumed'),
      }
    },
  },
  {
    // Unlike the others, this is a transaction of several statements.
    name: 'an entry of a user',
    family: 'mfa-challenge',
    load: 'BEGIN',
    save: 'COMMIT',
    status: 201,
    again: 200,
    storedByTwo: 1,
    prepare: async ({ url, db }) => {
      const userId = `u-${randomUUID()}`
      const token = await crmToken(url)
      const json = { email: `${userId}@example.com` }
      return {
        send: () => call(url, 'PUT', `/internal/v1/mfa/users/${userId}`, { token, json }),
        stored: () => count(db, 'SELECT 1 FROM users WHERE user_id = $1', userId),
      }
    },
  },
]

/** A challenge whose code has arrived by mail. */
export async function issued({ url }: Pick<TroubledService, 'url'>) {
  const { userId, email, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  await call(url, 'POST', challenge.initiate, { token })
  const [mail] = await mailsTo(url, email)
  return { challenge, userId, email, token, code: codeIn(mail!) }
}

function events(db: pg.Pool, challengeId: string, type: string): Promise<number> {
  return count(db, 'SELECT 1 FROM challenge_events WHERE challenge_id = $1 AND type = $2', challengeId, type)
}

async function count(db: pg.Pool, question: string, ...values: string[]): Promise<number> {
  return (await db.query(question, values)).rowCount!
}
