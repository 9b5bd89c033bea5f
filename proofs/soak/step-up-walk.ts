import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { CutShort, type Request } from './caller.ts'
import type { Call } from './ledger.ts'
import type { Place } from './place.ts'
import type { User } from './user.ts'

const POLL_INTERVAL_IN_MS = 50

interface OpenedBody {
  readonly challengeId: string
  readonly signature: string
  readonly expiresAt: string
  readonly methods: readonly { readonly initiate: string; readonly verify: string }[]
}

type Expected = readonly [first: readonly number[], again?: readonly number[]]

/** One challenge, and the requests of its parties and others. */
export class StepUpWalk {
  readonly id: string
  readonly user: User
  readonly expiresAt: number
  readonly #place: Place
  readonly #digest: string
  readonly #signature: string
  readonly #paths: Readonly<Record<'initiate' | 'verify' | 'consume' | 'cancel', string>>

  constructor(place: Place, user: User, digest: string, body: OpenedBody) {
    this.id = body.challengeId
    this.user = user
    this.expiresAt = Date.parse(body.expiresAt)
    this.#place = place
    this.#digest = digest
    this.#signature = body.signature
    const { initiate, verify } = body.methods[0]!
    const challenge = `/internal/v1/mfa/challenges/${this.id}`
    this.#paths = { initiate, verify, consume: `${challenge}:consume`, cancel: `${challenge}:cancel` }
  }

  /** Asks for a code. A repeat after a lost answer may find that the code was sent. */
  async initiate(...[first, again = [429]]: Expected): Promise<Call> {
    return this.#place.caller.answered(await this.#initiation(this.user), first, again)
  }

  async initiateOnce(user = this.user): Promise<Call> {
    return this.#place.caller.once(await this.#initiation(user))
  }

  async verify(code: string, ...[first, again = []]: Expected): Promise<Call> {
    return this.#place.caller.answered(await this.#verification(code, this.user), first, again)
  }

  async verifyOnce(code: string, user = this.user): Promise<Call> {
    return this.#place.caller.once(await this.#verification(code, user))
  }

  /** Consumes it under a key, for its own operation or for `digest`. */
  async consume(key: string, ...[first, again = []]: Expected): Promise<Call> {
    return this.#place.caller.answered(await this.#consumption(key, this.#digest, 'payments'), first, again)
  }

  async consumeOnce(key: string): Promise<Call> {
    return this.#place.caller.once(await this.#consumption(key, this.#digest, 'payments'))
  }

  async consumeFor(digest: string, ...[first, again = []]: Expected): Promise<Call> {
    const request = await this.#consumption(randomUUID(), digest, 'payments')
    return this.#place.caller.answered(request, first, again)
  }

  /** Consumes it as an operation service that did not open it. */
  async consumeElsewhere(): Promise<Call> {
    return this.#place.caller.answered(await this.#consumption(randomUUID(), this.#digest, 'cards'), [404])
  }

  async cancel(by: 'client' | 'subject', ...[first, again = []]: Expected): Promise<Call> {
    const token = by === 'client' ? await this.#place.tokens.client('payments') : await this.user.token()
    const request = { step: 'cancel', about: this.id, path: this.#paths.cancel, token } as const
    return this.#place.caller.answered(request, first, again)
  }

  /** The status that the service reports. */
  async status(): Promise<string> {
    const path = `/internal/v1/mfa/challenges/${this.id}`
    const request = {
      step: 'inspect',
      about: this.id,
      method: 'GET',
      path,
      token: await this.user.token(),
    } as const
    return (await this.#place.caller.answered(request, [200])).body.status
  }

  /** Waits for the newest mail, and returns its code. @throws {CutShort} if the code expires before. */
  async code(): Promise<string> {
    const { rows } = await this.#place.db.query<{ id: string; ends: Date }>(
      'SELECT id, expires_at AS ends FROM otp_issuances WHERE challenge_id = $1 ORDER BY number DESC LIMIT 1',
      [this.id],
    )
    const [newest] = rows
    while (newest && Date.now() < newest.ends.getTime()) {
      const code = this.#place.codes.get(newest.id)
      if (code !== undefined) return code
      await wait(POLL_INTERVAL_IN_MS)
    }
    throw new CutShort()
  }

  async expired(): Promise<void> {
    await wait(Math.max(0, this.expiresAt - Date.now()) + 1)
  }

  async #initiation(user: User): Promise<Request> {
    return {
      ...{ step: 'initiate', about: this.id, said: { user: user.id } },
      path: this.#paths.initiate,
      token: await user.token(),
    }
  }

  async #verification(code: string, user: User): Promise<Request> {
    return {
      ...{ step: 'verify', about: this.id, said: { code, user: user.id } },
      path: this.#paths.verify,
      token: await user.token(),
      json: { totp: code },
    }
  }

  async #consumption(key: string, digest: string, client: 'payments' | 'cards'): Promise<Request> {
    return {
      ...{ step: 'consume', about: this.id, said: { key, digest } },
      path: this.#paths.consume,
      token: await this.#place.tokens.client(client),
      headers: { 'plmr-idempotency-key': key },
      json: { signature: this.#signature, digest },
    }
  }
}
