import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { Suppressions } from '../../../application/ports/suppressions.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import type { MailboxKey } from '../../../domain/email-address.ts'
import type { SubjectStanding } from '../../../domain/subject-standing.ts'
import type { Statements } from '../connection/statements.ts'
import { type StandingRow, standingOf } from '../step-ups/standing-row.ts'
import {
  findStanding,
  findSuppressedAt,
  saveShardedSuppression,
  saveSuppression,
} from './mail-outcome-statements.ts'

/** Reads and stores suppressions, which are columns of `subject_standings`. */
export class PrismaSuppressions implements Suppressions {
  readonly #statements: Statements
  readonly #committed: CommitListener

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
  }

  async findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined> {
    const [row] = await this.#statements.query<StandingRow>(findStanding(subjectUserId))
    return row && standingOf(row)
  }

  async findByMailbox(mailbox: MailboxKey): Promise<readonly SubjectStanding[]> {
    const rows = await this.#statements.query<StandingRow>(findSuppressedAt(mailbox))
    return rows.map(standingOf)
  }

  async save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean> {
    const save = this.#statements.sharding === 'citus' ? saveShardedSuppression : saveSuppression
    const saved = await this.#statements.query(save(standing, events, provenance))
    if (saved.length === 0) return false
    announce(this.#committed, { events, provenance })
    return true
  }
}
