import type pg from 'pg'
import type { Ground } from '../bench/ground.ts'
import type { Caller } from './caller.ts'
import type { Ledger } from './ledger.ts'

/** The limits of the service, so low that the load reaches each of them. */
export interface Limits {
  readonly codeLifetimeInSeconds: number
  readonly cooldownInSeconds: number
  readonly maxAttempts: number
  readonly maxIssuances: number
  readonly subjectMaxFailures: number
  readonly subjectLockInSeconds: number
  readonly subjectMaxIssuances: number
}

/** Everything that a walk needs. */
export interface Place {
  readonly ground: Ground
  readonly caller: Caller
  readonly ledger: Ledger
  readonly limits: Limits
  readonly tokens: Tokens
  /** The codes of accepted mails, by issuance. */
  readonly codes: ReadonlyMap<string, string>
  /** A connection past all faults, which always sees the database. */
  readonly db: pg.Pool
}

/** The clients: two operation services, and the service that maintains the directory. */
export const PAYMENTS = 'payments'
const SCOPES: Readonly<Record<string, string>> = {
  [PAYMENTS]: 'mfa:challenges:create mfa:challenges:consume',
  // Another operation service, which cannot see the challenges of the first.
  cards: 'mfa:challenges:create mfa:challenges:consume',
  crm: 'mfa:users:write mfa:users:read',
}

/** They are valid for an hour. */
const RENEWED_AFTER_IN_MS = 20 * 60_000

/** Access tokens of users and clients, renewed long before they expire. */
export class Tokens {
  readonly #ground: Ground
  readonly #known = new Map<string, { readonly token: Promise<string>; readonly since: number }>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  client(client: 'payments' | 'cards' | 'crm'): Promise<string> {
    const known = this.#known.get(client)
    if (known && Date.now() - known.since < RENEWED_AFTER_IN_MS) return known.token
    const token = this.#ground.token({ sub: client, client_id: client, scope: SCOPES[client]! })
    this.#known.set(client, { token, since: Date.now() })
    return token
  }

  user(userId: string): Promise<string> {
    return this.#ground.token({ sub: userId })
  }
}
