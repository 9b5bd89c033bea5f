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

/**
 * Leases and records the queued rows of `otp_issuances`. A lease is a later `next_attempt_at`, so it needs no clean-up if
 * its holder dies.
 */
export class PrismaOtpOutbox implements OtpOutbox {
  readonly #statements: Statements
  readonly #committed: CommitListener
  /** Runs a statement outside any trace, because the attempts that share it may belong to different traces. */
  readonly #outsideTraces = AsyncLocalStorage.snapshot()
  /** Attempts that arrived while a statement was running. */
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
      if (!this.#recording) void this.#outsideTraces(() => this.#recordWaiting())
      return stored.promise
    })
  }

  /** Runs one statement after the other. Each records all attempts that arrived during the last one, in one commit. */
  async #recordWaiting(): Promise<void> {
    this.#recording = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#store(batch)
      } catch (error) {
        await this.#recordOneByOne(batch, error)
      }
    }
    this.#recording = false
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const statement = recordOutcomes(batch.map(({ attempt }) => attempt))
    const rows = await this.#statements.query<{ readonly place: number }>(statement)
    for (const { place } of rows) {
      const { attempt, stored } = batch[place]!
      const { claimed: issuance, event } = attempt
      announce(this.#committed, { events: [event], provenance: BY_SERVICE, issuance })
      stored.resolve(true)
    }
    // This has no effect on attempts that are resolved already.
    for (const { stored } of batch) stored.resolve(false)
  }

  /** Records each attempt of a failed batch alone, so that one refused attempt does not fail the others. */
  async #recordOneByOne(batch: readonly Waiting[], error: unknown): Promise<void> {
    const retries = batch.length > 1 && !(error instanceof StorageUnavailable)
    await Promise.all(
      batch.map((each) =>
        retries ? this.#store([each]).catch(each.stored.reject) : each.stored.reject(error),
      ),
    )
  }
}
