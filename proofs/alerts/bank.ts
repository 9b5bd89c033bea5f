import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { type CallInit, call, type Reply } from '../../test/support/http-call.ts'
import { operation } from '../bench/countersign.ts'
import type { Ground } from '../bench/ground.ts'
import type { MailSystems } from '../chaos/mail-systems.ts'

/** The service that opens challenges. */
export const CLIENT = 'payments'
const SCOPE = 'mfa:challenges:create mfa:challenges:consume'
const JOURNEYS_A_SECOND = 6
const USERS = 200
const CODE_TIMEOUT_IN_MS = 20_000
const ANY_CODE = '000000'

interface OpenedChallenge {
  readonly id: string
  readonly signature: string
  readonly token: string
  readonly n: number
}

/**
 * The bank around the service: users who confirm payments all the time, a directory that updates its entries, a load balancer that
 * probes, and some attackers.
 */
export class Bank {
  readonly #ground: Ground
  readonly #url: string
  readonly #mails: MailSystems
  readonly #database: pg.Pool
  readonly #tokens = new Map<string, string>()
  readonly #stopping = new AbortController()
  #running: Promise<unknown> | undefined

  constructor(ground: Ground, url: string, mails: MailSystems, database: pg.Pool) {
    this.#ground = ground
    this.#url = url
    this.#mails = mails
    this.#database = database
  }

  /** The first users do ordinary payments. The others are for attackers. */
  static readonly USERS = 2 * USERS

  open(): void {
    let n = 0
    this.#running = Promise.all([
      this.repeat(JOURNEYS_A_SECOND, () => this.#journey(n++ % USERS), this.#stopping.signal),
      this.repeat(1, () => this.#call('GET', '/readyz'), this.#stopping.signal),
      this.repeat(1, () => this.#keepEntry(n % USERS), this.#stopping.signal),
    ])
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Starts an action so many times a second until stopped, whether or not the last one has ended. Failures are expected. */
  async repeat(perSecond: number, act: () => Promise<unknown>, until: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<unknown>>()
    while (!until.aborted) {
      const acting: Promise<unknown> = act()
        .catch(() => {})
        .finally(() => underWay.delete(acting))
      underWay.add(acting)
      await wait(1000 / perSecond, undefined, { signal: until }).catch(() => {})
    }
    await Promise.all(underWay)
  }

  /** A challenge whose code is on its way, of one of the users for attackers. */
  async begin(n: number): Promise<OpenedChallenge> {
    return this.#begin(USERS + (n % USERS))
  }

  /** Sends enough wrong codes to lock a user. */
  async guess(n: number): Promise<void> {
    const challenge = await this.begin(n)
    for (let guess = 0; guess < 5; guess++) await this.verify(challenge, ANY_CODE)
  }

  verify({ id, token }: OpenedChallenge, totp: string): Promise<Reply> {
    return this.#call('POST', `/internal/v1/mfa/totp-email/${id}:verify`, { token, json: { totp } })
  }

  initiate({ id, token }: Pick<OpenedChallenge, 'id' | 'token'>): Promise<Reply> {
    return this.#call('POST', `/internal/v1/mfa/totp-email/${id}:initiate`, { token })
  }

  /** Presents an approval with the digest of another operation. */
  async presentWrongly(n: number): Promise<void> {
    const challenge = await this.begin(n)
    await this.verify(challenge, await this.#codeOf(challenge))
    await this.#consume({ ...challenge, n: challenge.n + 1 })
  }

  /** A challenge that somebody sets to verified in the database, and presents. */
  async presentForged(n: number): Promise<void> {
    const challenge = await this.begin(n)
    await this.#database.query(
      `UPDATE challenges SET status = 'verified', verified_at = now() WHERE id = $1`,
      [challenge.id],
    )
    await this.#consume(challenge)
  }

  /** A token with valid claims, signed with an unknown key. */
  async forge(): Promise<Reply> {
    const [head, body, signature] = (await this.#token({ sub: 'user-0' })).split('.')
    const forged = `${head}.${body}.${[...signature!].reverse().join('')}`
    return this.#call('GET', `/internal/v1/mfa/challenges/${randomUUID()}`, { token: forged })
  }

  async #journey(n: number): Promise<void> {
    const challenge = await this.#begin(n)
    await this.verify(challenge, await this.#codeOf(challenge))
    await this.#consume(challenge)
  }

  async #begin(n: number): Promise<OpenedChallenge> {
    const { body } = await this.#call('POST', '/internal/v1/mfa/challenges', {
      token: await this.#serviceToken(),
      headers: { 'plmr-idempotency-key': randomUUID() },
      json: { subjectUserId: `user-${n}`, operation: operation(n) },
    })
    const challenge = {
      id: body.challengeId,
      signature: body.signature,
      token: await this.#token({ sub: `user-${n}` }),
      n,
    }
    await this.initiate(challenge)
    return challenge
  }

  /** Keeps the address: a new one would end the user's challenges. */
  async #keepEntry(n: number): Promise<void> {
    await this.#call('PUT', `/internal/v1/mfa/users/user-${n}`, {
      token: await this.#token({ sub: 'crm', client_id: 'crm', scope: 'mfa:users:write' }),
      json: { email: `user-${n}@example.com`, locale: 'en' },
    })
  }

  #consume({ id, signature, n }: OpenedChallenge): Promise<Reply> {
    return this.#serviceToken().then((token) =>
      this.#call('POST', `/internal/v1/mfa/challenges/${id}:consume`, {
        token,
        headers: { 'plmr-idempotency-key': randomUUID() },
        json: { signature, digest: operation(n).digest },
      }),
    )
  }

  /** Waits for the mail, and returns its code. */
  async #codeOf({ id }: OpenedChallenge): Promise<string> {
    const { rows } = await this.#database.query('SELECT id FROM otp_issuances WHERE challenge_id = $1', [id])
    const giveUpAt = performance.now() + CODE_TIMEOUT_IN_MS
    for (;;) {
      const code = this.#mails.codes.get(rows[0]?.id)
      if (code) return code
      if (performance.now() > giveUpAt) throw new Error('no mail')
      await wait(100)
    }
  }

  #serviceToken(): Promise<string> {
    return this.#token({ sub: CLIENT, client_id: CLIENT, scope: SCOPE })
  }

  async #token(claims: Readonly<Record<string, string>> & { readonly sub: string }): Promise<string> {
    const known = this.#tokens.get(claims.sub) ?? (await this.#ground.token(claims))
    this.#tokens.set(claims.sub, known)
    return known
  }

  #call(method: string, path: string, init?: CallInit): Promise<Reply> {
    return call(this.#url, method, path, init)
  }
}
