import { hash } from 'node:crypto'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import type { Statements } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'

/**
 * Counts the codes to each mailbox where the mailbox has its row, before the decision is stored on the server of its subject. A decision
 * that loses its race afterwards leaves one code too many in the count, for an hour.
 */
export class MailboxCounts {
  readonly #statements: Pick<Statements, 'query'>

  constructor(statements: Pick<Statements, 'query'>) {
    this.#statements = statements
  }

  /** Counts one more code, and returns true. Returns false if the mailbox has no room for it. */
  async count({ key, atMost }: NonNullable<StepUpDecision['mailbox']>, at: Date): Promise<boolean> {
    const [counted] = await this.#statements.query<{
      readonly counted: boolean
    }>(Prisma.sql`/* mailbox-issuances.count */
      SELECT count_code_at_mailbox(${hash('sha256', key, 'buffer')}::bytea, ${at}::timestamptz, ${atMost}::integer) AS counted`)
    return counted!.counted
  }
}
