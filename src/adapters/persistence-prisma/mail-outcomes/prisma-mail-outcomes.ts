import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { MailOutcomes } from '../../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../../domain/mail-outcome.ts'
import type { Statements } from '../connection/statements.ts'
import { type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import { type PlacedId, rowOf } from '../placed-id.ts'
import { type Groups, groupsOf } from '../sharding/groups.ts'
import { type StandingRow, standingOf } from '../step-ups/standing-row.ts'
import { LOADING_OUTCOME, type Reporting, SAVING_REPORT } from './grouped-mail-outcome-statements.ts'
import { findIssuanceBucket } from './mail-outcome-statements.ts'

/** No user waits for a report. A mail system that brings hundreds a second would otherwise take the database from those who do. */
const GATHER_FOR_MS = 15

/** Stores each report about a mail with one statement, which those that come within a moment share. */
export class PrismaMailOutcomes implements MailOutcomes {
  readonly #committed: CommitListener
  readonly #statements: Statements
  readonly #loads: Groups<PlacedId, IssuanceRow & StandingRow>
  readonly #saves: Groups<Reporting, object>

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
    this.#loads = groupsOf(statements, LOADING_OUTCOME, { gatherForMs: GATHER_FOR_MS })
    // What was loaded together is stored together, without a wait.
    this.#saves = groupsOf(statements, SAVING_REPORT)
  }

  async load(issuanceId: string): Promise<MailOutcome | undefined> {
    const load = (placed: PlacedId) => this.#loads.query(placed)
    const row = await rowOf(this.#statements, issuanceId, load, findIssuanceBucket)
    return row && { issuance: issuanceOf(row), standing: standingOf(row) }
  }

  async save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#saves.query({ before, decision, provenance })
    if (saved.length === 0) return false
    announce(this.#committed, { events: decision.events, provenance, issuance: before.issuance })
    return true
  }
}
