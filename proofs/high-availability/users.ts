import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as ask, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../../test/journeys/client.ts'
import type { Issuer } from '../issuer.ts'
import type { Ledger } from './ledger.ts'

const CHALLENGES = '/internal/v1/mfa/challenges'
/** Between two calls of a user, who is a person. */
const PAUSE_IN_MS = 50
/** Sooner than `Retry-After` says, so that a recovery is seen when it happens. */
const REPEAT_AFTER_IN_MS = 200
/** Longer than any recovery. */
const PATIENCE_IN_MS = 90_000
const TIMEOUT_IN_MS = 20_000
/** Longer than a cluster needs to notice that something has happened. */
const CALM_IN_MS = 6000

/** A mail as its reader sees it. */
export interface Letter {
  readonly issuanceId: string
  readonly code: string
}

interface Call {
  readonly method: string
  readonly path: string
  readonly token: string
  readonly key?: string
  readonly body?: object
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly retryAfter: string | undefined
}

/** An answer that no fault excuses ended the journey. The ledger has it. */
class JourneyEnded extends Error {}

/** Users who confirm one payment after the other, over all instances. A failed call is repeated, with the same idempotency key. */
export class Users {
  readonly #urls: readonly string[]
  readonly #issuer: Issuer
  readonly #ledger: Ledger
  readonly #letters: ReadonlyMap<string, readonly Letter[]>
  readonly #agent = new Agent({ keepAlive: true })
  /** What is presented to consume a challenge. */
  readonly #proofs = new Map<string, object>()
  /** When the calls were sent that have no answer yet. */
  readonly #underWay = new Set<number>()
  #payments = ''
  #walking: Promise<unknown> = Promise.resolve()
  #running = true
  #abandoned = false

  constructor(
    urls: readonly string[],
    issuer: Issuer,
    ledger: Ledger,
    /** By address. */
    letters: ReadonlyMap<string, readonly Letter[]>,
  ) {
    this.#urls = urls
    this.#issuer = issuer
    this.#ledger = ledger
    this.#letters = letters
  }

  async start(count: number): Promise<void> {
    const scope = 'mfa:challenges:create mfa:challenges:consume'
    this.#payments = await this.#issuer.token({ client_id: 'payments', sub: 'payments', scope })
    const crm = await this.#issuer.token({ client_id: 'crm', sub: 'crm', scope: 'mfa:users:write' })
    const users = Array.from({ length: count }, (_, n) => `user-${n}`)
    for (const userId of users) {
      const body = { email: addressOf(userId) }
      const path = `/internal/v1/mfa/users/${userId}`
      await this.#insist(
        { method: 'PUT', path, token: crm, body },
        (status) => status === 200 || status === 201,
      )
    }
    this.#walking = Promise.all(users.map((userId) => this.#walkOnAndOn(userId)))
  }

  /** Waits until decisions have come for a while, and no call failed meanwhile. Rejects if a user met an error of this program. */
  async calm(): Promise<void> {
    const since = performance.now()
    const isCalm = async () => {
      const lately = Math.max(since, performance.now() - CALM_IN_MS)
      const { attempts } = this.#ledger
      const recent = attempts.slice(attempts.findLastIndex(({ endedAt }) => endedAt < lately) + 1)
      const failed = recent.some(({ outcome }) => outcome === 'unavailable' || outcome === 'cut')
      const decided = recent.filter(({ outcome }) => outcome === 'decided')
      return performance.now() - since >= CALM_IN_MS && !failed && decided.length > 0 && this.#areAnswered()
    }
    await Promise.race([until(isCalm, Boolean, PATIENCE_IN_MS), this.#walking])
  }

  /** Whether no call waits for its answer for long. */
  #areAnswered(): boolean {
    return [...this.#underWay].every((sentAt) => performance.now() - sentAt < CALM_IN_MS / 4)
  }

  /** Lets the journeys end that have begun. */
  async end(): Promise<void> {
    this.#running = false
    await this.#walking
    this.#agent.destroy()
  }

  /** Ends all journeys at once, whatever they wait for. */
  abandon(): void {
    this.#running = false
    this.#abandoned = true
    this.#agent.destroy()
  }

  /** Presents approvals once more, under other keys. The ledger has each one that is not refused. */
  async presentAgain(challengeIds: readonly string[]): Promise<void> {
    for (const challengeId of challengeIds) {
      const key = randomUUID()
      const path = `${CHALLENGES}/${challengeId}:consume`
      const call = { method: 'POST', path, token: this.#payments, key, body: this.#proofs.get(challengeId)! }
      const { status } = await this.#insist(call, (status) => [200, 404, 409, 410].includes(status))
      if (status === 200) this.#ledger.approved(challengeId, key)
    }
  }

  async #walkOnAndOn(userId: string): Promise<void> {
    const token = await this.#issuer.token({ sub: userId })
    while (this.#running) {
      try {
        await this.#walk(userId, token)
        this.#ledger.journeys++
      } catch (error) {
        if (!(error instanceof JourneyEnded)) throw error
      }
    }
  }

  async #walk(userId: string, user: string): Promise<void> {
    const { promised } = this.#ledger
    const digest = createHash('sha256').update(randomUUID()).digest('base64url')
    const summary = [{ label: 'Amount', value: 'EUR 1.00' }]
    const body = { subjectUserId: userId, operation: { type: 'payments.initiate', digest, summary } }
    const create = { method: 'POST', path: CHALLENGES, token: this.#payments, key: randomUUID(), body }
    const opened = await this.#insist(
      create,
      (status, repeated) => status === 201 || (repeated && status === 200),
    )
    const { challengeId, signature, methods } = JSON.parse(opened.body)
    const steps = new Set<'opened' | 'issued' | 'verified' | 'consumed'>(['opened'])
    promised.set(challengeId, steps)
    this.#proofs.set(challengeId, { signature, digest })
    await wait(PAUSE_IN_MS)

    const read = this.#lettersOf(userId).length
    const initiate = { method: 'POST', path: methods[0].initiate, token: user }
    const issued = await this.#insist(
      initiate,
      (status, repeated) => status === 204 || (repeated && status === 429),
    )
    if (issued.status === 204) steps.add('issued')
    const totp = await this.#codeAfter(userId, read)
    await wait(PAUSE_IN_MS)

    const verify = { method: 'POST', path: methods[0].verify, token: user, body: { totp } }
    const verified = await this.#insist(
      verify,
      (status, repeated) => status === 204 || (repeated && status === 410),
    )
    if (verified.status === 204) steps.add('verified')
    await wait(PAUSE_IN_MS)

    const key = randomUUID()
    const path = `${CHALLENGES}/${challengeId}:consume`
    const consume = { method: 'POST', path, token: this.#payments, key, body: { signature, digest } }
    await this.#insist(consume, (status) => status === 200)
    steps.add('consumed')
    this.#ledger.approved(challengeId, key)
    await wait(PAUSE_IN_MS)
  }

  #lettersOf(userId: string): readonly Letter[] {
    return this.#letters.get(addressOf(userId)) ?? []
  }

  /** The code of the first mail whose issuance no earlier mail was about. */
  async #codeAfter(userId: string, read: number): Promise<string> {
    const look = async () => {
      if (this.#abandoned) throw new JourneyEnded('abandoned')
      const all = this.#lettersOf(userId)
      const known = new Set(all.slice(0, read).map(({ issuanceId }) => issuanceId))
      return all.slice(read).find(({ issuanceId }) => !known.has(issuanceId))
    }
    const letter = await until(look, Boolean, PATIENCE_IN_MS).catch(() => undefined)
    return letter?.code ?? this.#giveUp(`${userId} got no mail`)
  }

  #giveUp(why: string): never {
    this.#ledger.wrongAnswers.push(why)
    throw new JourneyEnded(why)
  }

  /** Repeats the call until it gets an answer other than 503, as a good client does. */
  async #insist(call: Call, expected: (status: number, repeated: boolean) => boolean): Promise<Answer> {
    const what = `${call.method} ${call.path.replaceAll(/[0-9a-f-]{36}/g, '…').replace(/user-\d+/, '…')}`
    const giveUpAt = performance.now() + PATIENCE_IN_MS
    for (let repeated = false; performance.now() < giveUpAt && !this.#abandoned; repeated = true) {
      const sentAt = performance.now()
      this.#underWay.add(sentAt)
      const answer = await this.#exchange(call).catch(() => undefined)
      this.#underWay.delete(sentAt)
      const note = (outcome: 'decided' | 'unavailable' | 'cut' | 'refused') =>
        this.#ledger.attempts.push({ sentAt, endedAt: performance.now(), outcome })
      if (answer && answer.status !== 503) {
        note(answer.status < 300 ? 'decided' : 'refused')
        if (expected(answer.status, repeated)) return answer
        this.#giveUp(`${what} was answered ${answer.status} ${answer.body.slice(0, 200)}`)
      }
      note(answer ? 'unavailable' : 'cut')
      if (answer && !(Number(answer.retryAfter) > 0 && answer.body.includes(':INTERNAL_SERVER_ERROR"')))
        this.#ledger.wrongAnswers.push(`${what}: not the 503 of the contract: ${answer.body.slice(0, 200)}`)
      await wait(REPEAT_AFTER_IN_MS)
    }
    return this.#giveUp(`${what} got no answer in ${PATIENCE_IN_MS} ms`)
  }

  async #exchange({ method, path, token, key, body }: Call): Promise<Answer> {
    const url = this.#urls[Math.floor(Math.random() * this.#urls.length)]!
    const sent = ask(`${url}${path}`, {
      method,
      agent: this.#agent,
      signal: AbortSignal.timeout(TIMEOUT_IN_MS),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(key !== undefined && { 'plmr-idempotency-key': key }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
    }).end(body && JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return {
      status: response.statusCode!,
      body: await text(response),
      retryAfter: response.headers['retry-after'],
    }
  }
}

function addressOf(userId: string): string {
  return `${userId}@example.com`
}
