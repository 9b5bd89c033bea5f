import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { MailOutcomes } from '../../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../../domain/mail-outcome.ts'
import type { Statements } from '../connection/statements.ts'
import type { Prisma } from '../generated/client.ts'
import { type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import { type StandingRow, standingOf } from '../step-ups/standing-row.ts'
import {
  loadMailOutcome,
  saveDelay,
  saveReport,
  saveReportAndSuppression,
  saveSuppression,
} from './mail-outcome-statements.ts'

/** Stores each report about a mail with one statement. */
export class PrismaMailOutcomes implements MailOutcomes {
  readonly #statements: Statements
  readonly #committed: CommitListener

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
  }

  async load(issuanceId: string): Promise<MailOutcome | undefined> {
    const [row] = await this.#statements.query<IssuanceRow & StandingRow>(loadMailOutcome(issuanceId))
    return row && { issuance: issuanceOf(row), standing: standingOf(row) }
  }

  async save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#statements.query(statementFor(before, decision, provenance))
    if (saved.length === 0) return false
    announce(this.#committed, { events: decision.events, provenance, issuance: before.issuance })
    return true
  }
}

function statementFor(
  before: MailOutcome,
  { issuance, standing, events }: MailOutcomeDecision,
  provenance: Provenance,
): Prisma.Sql {
  if (!issuance) return saveSuppression(standing ?? before.standing, events, provenance)
  if (issuance.delayedAt && issuance.delayedAt !== before.issuance.delayedAt) {
    return saveDelay(before.issuance, issuance.delayedAt, events, provenance)
  }
  if (!standing) return saveReport(before.issuance, issuance, events, provenance)
  return saveReportAndSuppression(before.issuance, issuance, standing, events, provenance)
}
