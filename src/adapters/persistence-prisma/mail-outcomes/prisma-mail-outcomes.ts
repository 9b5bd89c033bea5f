import type { MailOutcomes } from '../../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../../domain/mail-outcome.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'
import { type IssuanceRow, issuanceOf, type StandingRow, standingOf } from '../rows.ts'
import { loadFate, saveReport, saveReportAndSuppression, saveSuppression } from './mail-outcome-statements.ts'

/** Stores what is reported of mails with one statement a report. */
export class PrismaMailOutcomes implements MailOutcomes {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async load(issuanceId: string): Promise<MailOutcome | undefined> {
    const [row] = await translateStorageErrors(
      this.#prisma.$queryRaw<(IssuanceRow & StandingRow)[]>(loadFate(issuanceId)),
    )
    return row && { issuance: issuanceOf(row), standing: standingOf(row) }
  }

  async save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean> {
    const statement = statementFor(before, decision, provenance)
    return (await translateStorageErrors(this.#prisma.$queryRaw<unknown[]>(statement))).length === 1
  }
}

function statementFor(
  before: MailOutcome,
  { issuance, standing, events }: MailOutcomeDecision,
  provenance: Provenance,
): Prisma.Sql {
  if (!issuance) return saveSuppression(standing ?? before.standing, events, provenance)
  if (!standing) return saveReport(before.issuance, issuance, events, provenance)
  return saveReportAndSuppression(before.issuance, issuance, standing, events, provenance)
}
