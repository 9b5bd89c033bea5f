import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import {
  codeIn,
  crmToken,
  type Mail,
  paymentsToken,
  randomDigest,
  tokenOf,
  until,
} from '../../test/journeys/client.ts'
import { type CallInit, call, type Reply } from '../../test/support/http-call.ts'

const CHALLENGES = '/internal/v1/mfa/challenges'
/** A user repeats a call for so long. No outage of a proof lasts longer. */
const PATIENCE_IN_MS = 180_000
const PAUSE_IN_MS = 100

/** One answer to one call. */
interface Answered {
  readonly at: number
  readonly tookMs: number
  readonly status: number
}

/** What an answer promised about a challenge. */
type Promised = 'pending' | 'verified' | 'consumed'

/** Users who confirm one payment after the other, through several processes. They repeat what is answered 503. */
export class Load {
  readonly answers: Answered[] = []
  readonly problems: string[] = []
  journeys = 0
  readonly #promised = new Map<string, Promised>()
  readonly #underWay = new Map<string, number>()
  readonly #walking: Promise<void>[]
  #urls: readonly string[]
  #isOver = false
  #turn = 0

  constructor(urls: readonly string[], users: number) {
    this.#urls = urls
    this.#walking = Array.from({ length: users }, () => this.#countersignOnAndOn())
  }

  /** Ends when each user has confirmed what they began. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#walking)
  }

  /** Sends nothing more to a process, and resolves when it has answered all calls. */
  async without(url: string): Promise<void> {
    this.#urls = this.#urls.filter((each) => each !== url)
    await until(
      async () => this.#underWay.get(url) ?? 0,
      (count) => count === 0,
    )
  }

  with(url: string): void {
    this.#urls = [...this.#urls, url]
  }

  /** Compares what was answered with what the service says now. Returns each answer that is not true any more. */
  async broken(): Promise<string[]> {
    const [url] = this.#urls as [string]
    const token = await paymentsToken(url)
    const broken: string[] = []
    for (const [id, promised] of this.#promised) {
      const { status, body } = await call(url, 'GET', `${CHALLENGES}/${id}`, { token })
      if (status !== 200 || body.status !== promised) {
        broken.push(`${id} was answered as ${promised}, and is ${status} ${body?.status ?? body?.code}`)
      }
      const trail = await call(url, 'GET', `${CHALLENGES}/${id}/events`, { token })
      const types = (trail.body.events as { readonly type: string }[]).map(({ type }) => type)
      if (!types.includes(`challenge-${promised === 'pending' ? 'opened' : promised}`)) {
        broken.push(`${id} was answered as ${promised}, and its trail says ${types}`)
      }
    }
    return broken
  }

  get challenges(): number {
    return this.#promised.size
  }

  async #countersignOnAndOn(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#countersign()
        this.journeys++
      } catch (error) {
        this.problems.push(String(error))
        return
      }
    }
  }

  async #countersign(): Promise<void> {
    const userId = `u-${randomUUID()}`
    const email = `${userId}@example.com`
    const crm = await this.#patiently(crmToken)
    const payments = await this.#patiently(paymentsToken)
    const token = await this.#patiently((url) => tokenOf(url, { sub: userId }))
    await this.#answered(
      'PUT',
      `/internal/v1/mfa/users/${userId}`,
      { token: crm, json: { email } },
      [200, 201],
    )
    const digest = randomDigest()
    const { body } = await this.#answered(
      'POST',
      CHALLENGES,
      {
        token: payments,
        headers: { 'plmr-idempotency-key': randomUUID() },
        json: {
          subjectUserId: userId,
          operation: { type: 'payments.initiate', digest, summary: [{ label: 'Amount', value: 'EUR 1.00' }] },
        },
      },
      [201],
      [200],
    )
    const id: string = body.challengeId
    const { initiate, verify } = body.methods[0]
    this.#promised.set(id, 'pending')
    await this.#answered('POST', initiate, { token }, [204], [429])
    await this.#answered('POST', verify, { token, json: { totp: await this.#codeTo(email) } }, [204], [410])
    this.#promised.set(id, 'verified')
    const consumption = {
      token: payments,
      headers: { 'plmr-idempotency-key': randomUUID() },
      json: { signature: body.signature, digest },
    }
    await this.#answered('POST', `${CHALLENGES}/${id}:consume`, consumption, [200])
    this.#promised.set(id, 'consumed')
  }

  async #codeTo(email: string): Promise<string> {
    const [mail] = await until(
      async () => {
        const { body } = await this.#patiently((url) =>
          call(url, 'GET', `/dev/mailbox?to=${encodeURIComponent(email)}`),
        )
        return body as Mail[]
      },
      (mails) => mails.length > 0,
      PATIENCE_IN_MS,
    )
    return codeIn(mail!)
  }

  /** Repeats a call until it is answered with a decision. After a 503 nobody knows the outcome, and `again` is right as well. */
  async #answered(
    method: string,
    path: string,
    init: CallInit,
    expected: readonly number[],
    again: readonly number[] = [],
  ): Promise<Reply> {
    const giveUpAt = performance.now() + PATIENCE_IN_MS
    for (let repeated = false; ; repeated = true) {
      const answer = await this.#send(method, path, init)
      if (!answer) continue
      if (expected.includes(answer.status) || (repeated && again.includes(answer.status))) return answer
      const what = `${method} ${path.replaceAll(/[0-9a-f-]{36}/g, '…')} was answered ${answer.status} ${answer.body?.code ?? ''}`
      if (answer.status !== 503) throw new Error(what)
      if (!answer.headers.get('Retry-After')) this.problems.push(`${what} without Retry-After`)
      if (performance.now() > giveUpAt) throw new Error(`${what}, and never anything else`)
      await wait(PAUSE_IN_MS)
    }
  }

  /** Undefined if a connection that was idle closed at that moment. Then a client sends again (RFC 9112 §9.3.1). */
  async #send(method: string, path: string, init: CallInit): Promise<Reply | undefined> {
    const at = performance.now()
    const answer = await this.#through((url) => call(url, method, path, init)).catch((error: unknown) => {
      if (!isClosedConnection(error)) throw error
      return undefined
    })
    this.answers.push({ at, tookMs: performance.now() - at, status: answer?.status ?? 0 })
    return answer
  }

  /** Calls the next process in turn, and another one if the connection closed. */
  async #patiently<Result>(send: (url: string) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await this.#through(send)
      } catch (error) {
        if (!isClosedConnection(error)) throw error
      }
    }
  }

  /** Calls the next process in turn. */
  async #through<Result>(send: (url: string) => Promise<Result>): Promise<Result> {
    const url = this.#urls[this.#turn++ % this.#urls.length]!
    const count = (by: number) => this.#underWay.set(url, (this.#underWay.get(url) ?? 0) + by)
    count(1)
    try {
      return await send(url)
    } finally {
      count(-1)
    }
  }
}

function isClosedConnection(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'
}

/** What users saw between two moments. */
export function seen({ answers }: Load, from: number, to: number): string {
  const of = answers.filter(({ at }) => at >= from && at < to)
  const refused = of.filter(({ status }) => status === 503)
  const slowest = Math.max(0, ...of.map(({ tookMs }) => tookMs))
  const closed = of.filter(({ status }) => status === 0).length
  return `${of.length - closed} answers, ${refused.length} of them 503, the slowest after ${Math.round(slowest)} ms${closed > 0 ? `, and ${closed} closed connections` : ''}`
}

/** How long after `from` the last 503 came, in seconds. Undefined without one. */
export function lastRefusal({ answers }: Load, from: number): number | undefined {
  const refused = answers.filter(({ at, status }) => at >= from && status === 503)
  return refused.length === 0
    ? undefined
    : Math.max(...refused.map(({ at, tookMs }) => (at + tookMs - from) / 1000))
}
