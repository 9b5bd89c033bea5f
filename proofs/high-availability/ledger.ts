import type pg from 'pg'
import { brokenPromises, type Promised } from '../../test/journeys/promised-walks.ts'

/** One request: when, and what became of it. Times are those of `performance.now()`. */
export interface Attempt {
  readonly sentAt: number
  readonly endedAt: number
  /** `decided`: a 2xx. `unavailable`: the contract's 503. `cut`: no answer. `refused`: a repeat found its decision stored. */
  readonly outcome: 'decided' | 'unavailable' | 'cut' | 'refused'
}

/** Everything that the users and the mail system have seen. */
export class Ledger {
  readonly attempts: Attempt[] = []
  /** Every success that was answered. */
  readonly promised: Promised = new Map()
  /** The idempotency keys that got an approval, by challenge. */
  readonly approvals = new Map<string, Set<string>>()
  /** When each approval came. */
  readonly consumedAt = new Map<string, number>()
  /** The codes that were mailed, by issuance. */
  readonly mailed = new Map<string, Set<string>>()
  /** Answers that no fault excuses. */
  readonly wrongAnswers: string[] = []
  journeys = 0

  approved(challengeId: string, key: string): void {
    const keys = this.approvals.get(challengeId) ?? new Set()
    this.approvals.set(challengeId, keys.add(key))
    if (!this.consumedAt.has(challengeId)) this.consumedAt.set(challengeId, performance.now())
  }

  arrived(issuanceId: string, code: string): void {
    const codes = this.mailed.get(issuanceId) ?? new Set()
    this.mailed.set(issuanceId, codes.add(code))
  }

  /** The successes that have been answered by now. */
  promisedByNow(): Promised {
    return new Map([...this.promised].map(([id, steps]) => [id, new Set(steps)]))
  }
}

/** What the database of `db` should have and has not, or has too often. Each entry is a broken promise. */
export async function disagreements(db: pg.Pool, ledger: Ledger): Promise<string[]> {
  const promised = ledger.promisedByNow()
  const mailed = new Map(ledger.mailed)
  const found = await brokenPromises(db, promised)
  const { rows } = await db.query<{ id: string }>('SELECT id FROM otp_issuances')
  const issued = new Set(rows.map(({ id }) => id))
  for (const [id, codes] of mailed) {
    if (!issued.has(id)) found.push(`${id} was mailed, and is not stored`)
    if (codes.size > 1) found.push(`${id} was mailed with ${codes.size} codes`)
  }
  for (const [id, keys] of ledger.approvals) {
    if (keys.size > 1) found.push(`${id} was approved under ${keys.size} keys`)
  }
  return [...found, ...ledger.wrongAnswers]
}
