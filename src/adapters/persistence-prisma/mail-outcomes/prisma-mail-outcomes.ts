import type { MailFates } from '../../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { MailFate, MailFateDecision } from '../../../domain/mail-outcome.ts'
import { available } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'
import { type IssuanceRow, issuanceOf, type StandingRow, standingOf } from '../rows.ts'
import { loadFate, saveReport, saveReportAndSuppression, saveSuppression } from './mail-outcome-statements.ts'

/** Stores what is reported of mails with one statement a report. */
export class PrismaMailFates implements MailFates {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async load(issuanceId: string): Promise<MailFate | undefined> {
    const [row] = await available(this.#prisma.$queryRaw<(IssuanceRow & StandingRow)[]>(loadFate(issuanceId)))
    return row && { issuance: issuanceOf(row), standing: standingOf(row) }
  }

  async save(before: MailFate, decision: MailFateDecision, provenance: Provenance): Promise<boolean> {
    const statement = statementFor(before, decision, provenance)
    return (await available(this.#prisma.$queryRaw<unknown[]>(statement))).length === 1
  }
}

function statementFor(
  before: MailFate,
  { issuance, standing, events }: MailFateDecision,
  provenance: Provenance,
): Prisma.Sql {
  if (!issuance) return saveSuppression(standing ?? before.standing, events, provenance)
  if (!standing) return saveReport(before.issuance, issuance, events, provenance)
  return saveReportAndSuppression(before.issuance, issuance, standing, events, provenance)
}
