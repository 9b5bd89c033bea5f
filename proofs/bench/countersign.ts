import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type pg from 'pg'
import {
  ISSUANCE_COLUMNS,
  type IssuanceRow,
  issuanceOf,
} from '../../src/adapters/persistence-prisma/otp-outbox/issuance-row.ts'
import {
  CHALLENGE_COLUMNS,
  type ChallengeRow,
  challengeOf,
} from '../../src/adapters/persistence-prisma/step-ups/challenge-row.ts'
import { OtplibTotp } from '../../src/adapters/totp-otplib/otplib-totp.ts'
import { type Program, startProgram } from '../processes.ts'
import { type Contestant, measure } from './contestant.ts'
import type { Ground } from './ground.ts'
import { bytesOf, drive } from './load.ts'
import { POLICY } from './settings.ts'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
const CLIENT = 'payments'
const SCOPE = 'mfa:challenges:create mfa:challenges:consume'

/** What the service needs beside its database. */
export type Surroundings = Pick<Ground, 'folder' | 'issuer' | 'otpKey' | 'signingKey'> & {
  readonly smtp: Pick<Ground['smtp'], 'url'>
}

/** The service in production mode on a database of its own, with everything that production has. */
export async function startCountersign(
  ground: Surroundings,
  databaseUrl: string,
  workers: number,
  env: Readonly<Record<string, string>> = {},
  checkout = CHECKOUT,
): Promise<Program> {
  return startProgram(
    [join(checkout, 'bin/service.mjs')],
    {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      MANAGEMENT_PORT: '0',
      WORKERS: String(workers),
      DATABASE_URL: databaseUrl,
      AUTH_ISSUER: ground.issuer.issuer,
      AUTH_AUDIENCE: ground.issuer.audience,
      AUTH_JWKS_URL: ground.issuer.jwksUrl,
      OTP_KEYS: `k1:${ground.otpKey.toString('base64')}`,
      SIGNING_KEYS: `s1:${ground.signingKey.toString('base64')}`,
      MAIL_TRANSPORT: 'smtp',
      MAIL_FROM: 'Bench <no-reply@bank.example>',
      SMTP_URL: ground.smtp.url,
      SUBJECT_MAX_ISSUANCES: String(POLICY.subjectMaxIssuancesPerHour),
      SUBJECT_MAX_CHALLENGES: String(POLICY.subjectMaxLiveChallenges),
      ...env,
    },
    join(ground.folder, `countersign-${randomUUID()}.log`),
    workers,
  )
}

/** The service with one process or several workers, on a database of its own. */
export async function countersign(ground: Ground, workers: number, subjects: number): Promise<Contestant> {
  const database = `countersign_${workers}`
  const databaseUrl = await ground.createDatabase(database, 'migrated')
  const client = await ground.client(databaseUrl)
  await seedUsers(client, subjects)
  const program = await startCountersign(ground, databaseUrl, workers)
  const name = workers === 1 ? 'Countersign' : `Countersign, ${workers} workers`
  return countersignOf(ground, client, database, [program], name)
}

/**
 * Starts the build of another checkout, which has its own `npm ci`, on the schema of that build.
 *
 * @throws {Error} if that checkout cannot migrate a database.
 */
export async function otherBuild(ground: Ground, checkout: string, subjects: number): Promise<Contestant> {
  const database = 'countersign_other_build'
  const databaseUrl = await ground.createDatabase(database, 'empty')
  const command = [join(checkout, 'bin/countersign.mjs'), 'migrate']
  await promisify(execFile)(process.execPath, command, {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
  })
  const client = await ground.client(databaseUrl)
  await seedUsers(client, subjects)
  const program = await startCountersign(ground, databaseUrl, 1, {}, checkout)
  return countersignOf(ground, client, database, [program], 'Other build')
}

/** A contestant that does the whole journey: create, initiate, mail, verify, consume. */
export function countersignOf(
  ground: Ground,
  client: pg.Client,
  database: string,
  programs: readonly Program[],
  name: string,
  databasePids?: readonly number[],
): Contestant {
  const place = { ground, database, pids: programs.map(({ pid }) => pid), databasePids }
  const urls = programs.map(({ url }) => url)
  return {
    name,
    stop: async () => {
      for (const program of programs) await program.stop()
    },
    round: async (size) => {
      const journeys = await Journeys.prepare(ground, client, size)
      const consumed = `SELECT count(*) FROM challenges WHERE client_id = '${CLIENT}' AND status = 'consumed'`
      const before = Number((await client.query(consumed)).rows[0].count)
      const load = (requests: readonly Buffer[]) => () => drive(urls, requests, ground.connections)

      const create = await measure('create', 201, place, load(journeys.creating()))
      journeys.created(create.bodies)
      const initiate = await measure('initiate', 204, place, load(journeys.initiating()))
      await mailsSent(client)
      const verifying = await journeys.verifying()
      const verify = await measure('verify', 204, place, load(verifying))
      const consume = await measure('consume', 200, place, load(journeys.consuming()))

      await expectCount(client, consumed, before + size)
      return [create, initiate, verify, consume]
    },
  }
}

export async function seedUsers(client: pg.Client, count: number): Promise<void> {
  await client.query(
    `INSERT INTO users (user_id, email, locale, display_name, created_at, updated_at)
     SELECT 'user-' || n, 'user-' || n || '@example.com', 'en', NULL, now(), now() FROM generate_series(0, $1::integer - 1) n`,
    [count],
  )
  await client.query('ANALYZE users')
}

/** The row that a user's first challenge creates for all later ones. */
export async function seedStandings(client: pg.Client, count: number): Promise<void> {
  await client.query(
    `INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
     SELECT 'user-' || n, 0, 0, '{}', 0 FROM generate_series(0, $1::integer - 1) n ON CONFLICT DO NOTHING`,
    [count],
  )
}

/** Waits until every due mail is sent. */
export async function mailsSent(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query(`SELECT 1 FROM otp_issuances WHERE status = 'queued' LIMIT 1`)
    if (rows.length === 0) return
    await wait(50)
  }
}

export async function expectCount(client: pg.Client, question: string, expected: number): Promise<void> {
  const { rows } = await client.query(question)
  if (Number(rows[0].count) !== expected) {
    throw new Error(`The database says ${rows[0].count} where ${expected} were answered: ${question}`)
  }
}

/** The requests of `size` journeys, each of another user with a new token. */
export class Journeys {
  readonly #client: pg.Client
  readonly #tokens: readonly string[]
  readonly #serviceToken: string
  readonly #totp: OtplibTotp
  #challenges: readonly { readonly challengeId: string; readonly signature: string }[] = []

  static async prepare(ground: Ground, client: pg.Client, count: number): Promise<Journeys> {
    const tokens: string[] = []
    for (let n = 0; n < count; n++) tokens.push(await ground.token({ sub: `user-${n}` }))
    const serviceToken = await ground.token({ sub: CLIENT, client_id: CLIENT, scope: SCOPE })
    return new Journeys(ground.otpKey, client, tokens, serviceToken)
  }

  private constructor(otpKey: Buffer, client: pg.Client, tokens: readonly string[], serviceToken: string) {
    this.#client = client
    this.#tokens = tokens
    this.#serviceToken = serviceToken
    this.#totp = new OtplibTotp([{ id: 'k1', bytes: otpKey }], 6)
  }

  creating(): Buffer[] {
    return this.#tokens.map((_, n) =>
      bytesOf({
        method: 'POST',
        path: '/internal/v1/mfa/challenges',
        headers: { Authorization: `Bearer ${this.#serviceToken}`, 'plmr-idempotency-key': randomUUID() },
        body: { subjectUserId: `user-${n}`, operation: { ...operation(n) } },
      }),
    )
  }

  created(bodies: readonly string[]): void {
    this.#challenges = bodies.map((body) => JSON.parse(body))
  }

  initiating(): Buffer[] {
    return this.#challenges.map(({ challengeId }, n) =>
      bytesOf({
        method: 'POST',
        path: `/internal/v1/mfa/totp-email/${challengeId}:initiate`,
        headers: { Authorization: `Bearer ${this.#tokens[n]}` },
      }),
    )
  }

  /** Adds the code from each mail. */
  async verifying(): Promise<Buffer[]> {
    const codes = await this.#codes()
    return this.#challenges.map(({ challengeId }, n) =>
      bytesOf({
        method: 'POST',
        path: `/internal/v1/mfa/totp-email/${challengeId}:verify`,
        headers: { Authorization: `Bearer ${this.#tokens[n]}` },
        body: { totp: codes.get(challengeId) },
      }),
    )
  }

  consuming(): Buffer[] {
    return this.#challenges.map(({ challengeId, signature }, n) =>
      bytesOf({
        method: 'POST',
        path: `/internal/v1/mfa/challenges/${challengeId}:consume`,
        headers: { Authorization: `Bearer ${this.#serviceToken}`, 'plmr-idempotency-key': randomUUID() },
        body: { signature, digest: operation(n).digest },
      }),
    )
  }

  /** The ids of the issuances, in the order of the challenges. */
  async issuanceIds(): Promise<string[]> {
    const ids = new Map((await this.#issued()).map((row) => [row.c_id, row.i_id]))
    return this.#challenges.map(({ challengeId }) => ids.get(challengeId)!)
  }

  async #codes(): Promise<ReadonlyMap<string, string>> {
    const issued = await this.#issued()
    return new Map(issued.map((row) => [row.c_id, this.#totp.code(issuanceOf(row), challengeOf(row))]))
  }

  async #issued() {
    const { rows } = await this.#client.query<ChallengeRow & IssuanceRow>(
      `SELECT ${await this.#thatExist(CHALLENGE_COLUMNS)}, ${await this.#thatExist(ISSUANCE_COLUMNS)}
       FROM challenges c
       JOIN otp_issuances i ON ${await this.#inOneBucket()} i.challenge_id = c.id AND i.number = c.issuance_count
       WHERE c.id = ANY($1::uuid[])`,
      [this.#challenges.map(({ challengeId }) => challengeId)],
    )
    return rows
  }

  /** The condition that Citus needs. A build from before the buckets has none. */
  async #inOneBucket(): Promise<string> {
    return (await this.#thatExist('c.bucket AS c_bucket')) ? 'i.bucket = c.bucket AND' : ''
  }

  /** The columns of this build that the build under measurement has as well. No code depends on the others. */
  async #thatExist(columns: string): Promise<string> {
    const { rows } = await this.#client.query<{ name: string }>(
      `SELECT CASE table_name WHEN 'challenges' THEN 'c.' ELSE 'i.' END || column_name AS name
       FROM information_schema.columns WHERE table_name IN ('challenges', 'otp_issuances')`,
    )
    const existing = new Set(rows.map(({ name }) => name))
    return columns
      .split(', ')
      .filter((column) => existing.has(column.split(' ')[0]!))
      .join(', ')
  }
}

export function operation(n: number) {
  return {
    type: 'payments.initiate',
    digest: createHash('sha256').update(String(n)).digest('base64url'),
    summary: [
      { label: 'Amount', value: `EUR ${n}.00` },
      { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
    ],
  }
}
