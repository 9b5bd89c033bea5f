import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { Standings } from '../../../application/ports/standings.ts'
import type { SubjectStanding, Unlocking } from '../../../domain/subject-standing.ts'
import type { Statements } from '../connection/statements.ts'
import { findStanding } from '../mail-outcomes/mail-outcome-statements.ts'
import { type StandingRow, standingOf } from '../step-ups/standing-row.ts'
import { saveUnlocking } from './support-statements.ts'

/** Reads `subject_standings`, and ends a lock by one statement. */
export class PrismaStandings implements Standings {
  readonly #statements: Statements
  readonly #committed: CommitListener

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
  }

  async find(subjectUserId: string): Promise<SubjectStanding | undefined> {
    const [row] = await this.#statements.query<StandingRow>(findStanding(subjectUserId))
    return row && standingOf(row)
  }

  async saveUnlocking(unlocking: Unlocking, provenance: Provenance): Promise<boolean> {
    const saved = await this.#statements.query(saveUnlocking(unlocking, provenance))
    if (saved.length === 0) return false
    announce(this.#committed, { events: [unlocking.event], provenance })
    return true
  }
}
