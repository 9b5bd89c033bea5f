import { AsyncLocalStorage } from 'node:async_hooks'
import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { OtpDelivery, OtpOutbox } from '../../../application/ports/otp-outbox.ts'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../../domain/otp-issuance.ts'
import type { Statements } from '../connection/statements.ts'
import type { Joined } from '../row-mapping.ts'
import { type ChallengeRow, challengeOf } from '../step-ups/challenge-row.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import { type IssuanceRow, issuanceOf } from './issuance-row.ts'
import { type Attempt, claimDue, recordOutcomes } from './otp-outbox-statements.ts'

const BY_SERVICE = { actor: 'service' }

interface Waiting {
  readonly attempt: Attempt
  /** Whether the attempt took effect. */
  readonly stored: PromiseWithResolvers<boolean>
}

/** The queued rows of `otp_issuances`. A lease is a later `next_attempt_at`: it needs no clean-up if its holder dies. */
export class PrismaOtpOutbox implements OtpOutbox {
  readonly #statements: Statements
  readonly #committed: CommitListener
  /** Runs a statement as part of nothing that was going on: the attempts that share one may each be of another trace. */
  readonly #apart = AsyncLocalStorage.snapshot()
  /** What came in while a statement was under way. */
  #waiting: Waiting[] = []
  #recording = false

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    type Row = IssuanceRow & ChallengeRow & Joined<UserRow> & { readonly i_trace_context: string | null }
    const rows = await this.#statements.query<Row>(claimDue(limit, now, leaseEnd))
    return rows.map((row) => ({
      issuance: issuanceOf(row) as QueuedIssuance,
      challenge: challengeOf(row),
      user: hasUser(row) ? userOf(row) : undefined,
      traceContext: row.i_trace_context ?? undefined,
    }))
  }

  record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean> {
    return this.#statements.around('otp-outbox.record', () => {
      const stored = Promise.withResolvers<boolean>()
      this.#waiting.push({ attempt: { claimed, outcome, event }, stored })
      if (!this.#recording) void this.#apart(() => this.#recordWaiting())
      return stored.promise
    })
  }

  /** One statement after the other, each with all that came in during the one before: of a backlog, one commit for many. */
  async #recordWaiting(): Promise<void> {
    this.#recording = true
    while (this.#waiting.length > 0) {
      const together = this.#waiting
      this.#waiting = []
      try {
        await this.#store(together)
      } catch (error) {
        await this.#recordAlone(together, error)
      }
    }
    this.#recording = false
  }

  async #store(together: readonly Waiting[]): Promise<void> {
    const statement = recordOutcomes(together.map(({ attempt }) => attempt))
    const rows = await this.#statements.query<{ readonly place: number }>(statement)
    for (const { place } of rows) {
      const { attempt, stored } = together[place]!
      const { claimed: issuance, event } = attempt
      announce(this.#committed, { events: [event], provenance: BY_SERVICE, issuance })
      stored.resolve(true)
    }
    // Without effect on those that are resolved already.
    for (const { stored } of together) stored.resolve(false)
  }

  /** What the database refuses of one must not take the others along. */
  async #recordAlone(together: readonly Waiting[], error: unknown): Promise<void> {
    const alone = together.length > 1 && !(error instanceof StorageUnavailable)
    await Promise.all(
      together.map((each) =>
        alone ? this.#store([each]).catch(each.stored.reject) : each.stored.reject(error),
      ),
    )
  }
}
