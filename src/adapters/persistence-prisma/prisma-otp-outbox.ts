import type { OtpDelivery, OtpOutbox } from '../../application/ports/otp-outbox.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import { claimDue, recordOutcome } from './otp-outbox-statements.ts'
import type { RawStatements } from './raw-statements.ts'
import {
  type ChallengeRow,
  challengeOf,
  hasUser,
  type IssuanceRow,
  issuanceOf,
  type Joined,
  type UserRow,
  userOf,
} from './rows.ts'

/** The queued rows of `otp_issuances`. A lease is a later `next_attempt_at`: it needs no clean-up if its holder dies. */
export class PrismaOtpOutbox implements OtpOutbox {
  readonly #statements: RawStatements

  constructor(statements: RawStatements) {
    this.#statements = statements
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    type Row = IssuanceRow & ChallengeRow & Joined<UserRow> & { readonly i_trace_context: string | null }
    const rows = await this.#statements.rows<Row>(claimDue(limit, now, leaseEnd))
    return rows.map((row) => ({
      issuance: issuanceOf(row) as QueuedIssuance,
      challenge: challengeOf(row),
      user: hasUser(row) ? userOf(row) : undefined,
      traceContext: row.i_trace_context ?? undefined,
    }))
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<void> {
    await this.#statements.rows(recordOutcome(claimed, outcome, event))
  }
}
