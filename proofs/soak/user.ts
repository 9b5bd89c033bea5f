import { randomUUID } from 'node:crypto'
import { randomDigest } from '../../test/journeys/client.ts'
import type { Call } from './ledger.ts'
import type { Place } from './place.ts'
import { StepUpWalk } from './step-up-walk.ts'

const CHALLENGES = '/internal/v1/mfa/challenges'

/** A user of the bank, with all actions for, by and against that user. */
export class User {
  readonly id = `u-${randomUUID()}`
  readonly #place: Place
  #token: Promise<string> | undefined
  #addresses = 0

  /** The address in the directory. */
  static async of(place: Place): Promise<User> {
    const user = new User(place)
    await user.put()
    return user
  }

  constructor(place: Place) {
    this.#place = place
  }

  get path(): string {
    return `/internal/v1/mfa/users/${this.id}`
  }

  token(): Promise<string> {
    this.#token ??= this.#place.tokens.user(this.id)
    return this.#token
  }

  /** Writes the directory entry, with the same address or with a new one. */
  async put(moves = false): Promise<Call> {
    if (moves) this.#addresses++
    const { caller, tokens } = this.#place
    return caller.answered(
      {
        ...{ step: 'put', about: this.id, method: 'PUT', path: this.path },
        token: await tokens.client('crm'),
        json: { email: `${this.id}-${this.#addresses}@example.com`, locale: 'en' },
      },
      [200, 201],
    )
  }

  async erase(): Promise<void> {
    const { caller, tokens } = this.#place
    const token = await tokens.client('crm')
    await caller.answered({ step: 'erase', about: this.id, method: 'DELETE', path: this.path, token }, [204])
  }

  async liftSuppression(): Promise<void> {
    const { caller, tokens } = this.#place
    const token = await tokens.client('crm')
    const path = `${this.path}/suppression`
    await caller.answered({ step: 'lift', about: this.id, method: 'DELETE', path, token }, [204])
  }

  /** Opens a challenge for a payment of this user. */
  async open(lifetimeInSeconds?: number): Promise<StepUpWalk> {
    const { caller, tokens } = this.#place
    const [key, digest] = [randomUUID(), randomDigest()]
    const opened = await caller.answered(
      {
        ...{ step: 'open', about: this.id, said: { key, digest }, path: CHALLENGES },
        token: await tokens.client('payments'),
        headers: { 'plmr-idempotency-key': key },
        json: {
          subjectUserId: this.id,
          operation: {
            type: 'payments.initiate',
            digest,
            summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
          },
          ...(lifetimeInSeconds !== undefined && { expiresInSeconds: lifetimeInSeconds }),
        },
      },
      [201],
      [200],
    )
    return new StepUpWalk(this.#place, this, digest, opened.body)
  }
}
