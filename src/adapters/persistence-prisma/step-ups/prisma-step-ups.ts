import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { LoadedStepUp, StepUps } from '../../../application/ports/step-ups.ts'
import {
  type Challenge,
  type Idempotency,
  IdempotencyKeyReused,
  type PendingChallenge,
} from '../../../domain/challenge.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import type { Statements } from '../connection/statements.ts'
import { hasIssuance, type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import type { Joined } from '../row-mapping.ts'
import { hasUser, type UserRow, userOf } from '../users/user-row.ts'
import { type ChallengeRow, challengeOf } from './challenge-row.ts'
import { type StandingRow, standingOf } from './standing-row.ts'
import {
  findByIdempotencyKey,
  insertChallenge,
  loadStepUp,
  saveDecision,
  saveLockingDecision,
} from './step-up-statements.ts'

/** Stores step-ups with one raw statement per call. The hot path runs only the statements of `step-up-statements.ts`. */
export class PrismaStepUps implements StepUps {
  readonly #statements: Statements
  readonly #committed: CommitListener

  constructor(statements: Statements, committed: CommitListener = () => {}) {
    this.#statements = statements
    this.#committed = committed
  }

  async open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
  ): Promise<{ readonly challenge: Challenge; readonly created: boolean }> {
    const inserted = await this.#statements.query(insertChallenge(challenge, event, idempotency, provenance))
    if (inserted.length === 1) {
      announce(this.#committed, { events: [event], provenance, challenge })
      return { challenge, created: true }
    }

    // PostgreSQL reports a conflict only after the other insert has committed, so the row exists.
    const [existing] = await this.#statements.query<ChallengeRow & { c_request_fingerprint: string }>(
      findByIdempotencyKey(challenge.clientId, idempotency.key),
    )
    if (existing?.c_request_fingerprint !== idempotency.fingerprint) throw new IdempotencyKeyReused()
    return { challenge: challengeOf(existing), created: false }
  }

  async load(challengeId: string): Promise<LoadedStepUp | undefined> {
    type Row = ChallengeRow & StandingRow & Joined<IssuanceRow> & Joined<UserRow>
    const [row] = await this.#statements.query<Row>(loadStepUp(challengeId))
    return (
      row && {
        challenge: challengeOf(row),
        standing: standingOf(row),
        issuance: hasIssuance(row) ? issuanceOf(row) : undefined,
        user: hasUser(row) ? userOf(row) : undefined,
      }
    )
  }

  async save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    const { challenge, issued, verifiedBy, lockNotice, events } = decision
    const statement = lockNotice
      ? saveLockingDecision(decision, lockNotice, provenance)
      : saveDecision(decision, provenance)
    const saved = await this.#statements.query(statement)
    if (saved.length === 0) return false
    announce(this.#committed, { events, provenance, challenge, issuance: issued ?? verifiedBy })
    return true
  }
}
