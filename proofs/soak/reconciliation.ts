import type { JSONWebKeySet } from 'jose'
import type pg from 'pg'
import { answersAgainstEvents } from './answers-against-events.ts'
import { consumptions } from './consumptions.ts'
import { guesses } from './guesses.ts'
import type { Ledger } from './ledger.ts'
import type { Arrival } from './mailroom.ts'
import { mailsAgainstOutbox } from './mails-against-outbox.ts'
import { outages } from './outages.ts'
import type { Limits } from './place.ts'
import { readStored, type Stored } from './stored.ts'
import { trailAgainstState } from './trail-against-state.ts'
import type { TroubleLog } from './trouble-log.ts'

/** Everything that was visible from outside, and the stored state to compare it with. */
export interface Evidence {
  readonly ledger: Ledger
  readonly log: TroubleLog
  readonly arrivals: readonly Arrival[]
  readonly db: pg.Pool
  readonly limits: Limits
  /** The keys that sign authorisations. */
  readonly jwks: JSONWebKeySet
  /** Challenges that expired before this time must be deleted, and no others. */
  readonly retentionInDays: number
}

type Figures = Readonly<Record<string, number>>

export interface CheckResults {
  readonly figures: Figures
  readonly violations: readonly string[]
}

/** One of the comparisons. */
type Check = (evidence: Evidence, stored: Stored) => CheckResults | Promise<CheckResults>

const CHECKS: Readonly<Record<string, Check>> = {
  answers: answersAgainstEvents,
  consumptions,
  guesses,
  mails: mailsAgainstOutbox,
  trail: trailAgainstState,
  outages,
}

/** Compares all answers with the stored state, once all work has finished. */
export async function reconcile(evidence: Evidence): Promise<CheckResults> {
  const stored = await readStored(evidence.db)
  const figures: Record<string, number> = {}
  const violations = await purgeViolations(evidence)
  for (const [name, check] of Object.entries(CHECKS)) {
    const found = await check(evidence, stored)
    Object.assign(figures, found.figures)
    violations.push(...found.violations.map((violation) => `${name}: ${violation}`))
  }
  return { figures, violations }
}

async function purgeViolations({ db, retentionInDays }: Evidence): Promise<string[]> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM challenges WHERE expires_at < now() - make_interval(days => $1, mins => 5)`,
    [retentionInDays],
  )
  return rows[0]!.count === 0 ? [] : [`purge: ${rows[0]!.count} challenges past their retention are left`]
}
