import type { Provenance } from '../../../application/ports/provenance.ts'
import type { Suppressions } from '../../../application/ports/suppressions.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import type { SubjectStanding } from '../../../domain/subject-standing.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'
import { type StandingRow, standingOf } from '../rows.ts'
import { findStanding, findSuppressedAt, saveSuppression } from './mail-outcome-statements.ts'

/** The suppressions, which are columns of `subject_standings`. */
export class PrismaSuppressions implements Suppressions {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined> {
    const [row] = await translateStorageErrors(
      this.#prisma.$queryRaw<StandingRow[]>(findStanding(subjectUserId)),
    )
    return row && standingOf(row)
  }

  async findByAddress(address: string): Promise<readonly SubjectStanding[]> {
    const rows = await translateStorageErrors(
      this.#prisma.$queryRaw<StandingRow[]>(findSuppressedAt(address)),
    )
    return rows.map(standingOf)
  }

  async save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean> {
    const saved = await translateStorageErrors(
      this.#prisma.$queryRaw<unknown[]>(saveSuppression(standing, events, provenance)),
    )
    return saved.length === 1
  }
}
