import { randomUUID } from 'node:crypto'
import type { SealColumns } from '../../../src/adapters/persistence-prisma/seals/row-seals.ts'
import type { RecordedEvent } from '../../../src/application/ports/audit-trail.ts'
import { announce, type Commit, type CommitListener } from '../../../src/application/ports/commit-listener.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import type { Forgery } from '../../../src/domain/domain-event.ts'
import type { LockNotice } from '../../../src/domain/lock-notice.ts'
import type { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import type { SecurityNotice, SecurityNoticeDraft } from '../../../src/domain/security-notice.ts'
import type { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import type { User } from '../../../src/domain/user.ts'
import { SEALS } from '../../support/seals.ts'

/** What the in-memory storage ports share, as tables are shared in a database. */
export class InMemoryState {
  readonly challenges = new Map<string, Challenge>()
  /** The challenge that each idempotency key of a client opened. */
  readonly opened = new Map<string, { readonly id: string; readonly fingerprint: string }>()
  readonly standings = new Map<string, SubjectStanding>()
  readonly issuances = new Map<string, OtpIssuance>()
  /** By issuance. */
  readonly traceContexts = new Map<string, string | undefined>()
  readonly challengeSeals = new Map<string, Omit<SealColumns, 'i_seal'>>()
  readonly issuanceSeals = new Map<string, string | null>()
  readonly lockNotices = new Map<string, LockNotice>()
  readonly users = new Map<string, User>()
  readonly securityNotices = new Map<string, SecurityNotice>()
  /** When an entry of a user was erased last. */
  readonly erasures = new Map<string, Date>()
  /** The users who tried a challenge of somebody else, by challenge. */
  readonly strangers = new Map<string, ReadonlySet<string>>()
  /** When each mailbox got codes. */
  readonly mailboxes = new Map<string, readonly Date[]>()
  readonly events: RecordedEvent[] = []
  readonly #committed: CommitListener

  constructor(committed: CommitListener) {
    this.#committed = committed
  }

  /** How what is stored shows that somebody else wrote it. */
  forgeryIn(challenge: Challenge, issuance: OtpIssuance | undefined): Forgery | undefined {
    const i_seal = (issuance && this.issuanceSeals.get(issuance.id)) ?? null
    return SEALS.forgeryIn({ ...this.challengeSeals.get(challenge.id)!, i_seal }, challenge, issuance)
  }

  /** Whether the trail says that the challenge has ended. */
  hasEndedOnTrail(id: string): boolean {
    const ended = ['challenge-consumed', 'challenge-cancelled', 'challenge-exhausted']
    const onTrail = this.events.filter((event) => 'challengeId' in event && event.challengeId === id)
    return onTrail.some(({ type }) => ended.includes(type))
  }

  /** Queues a notice. */
  notify(draft: SecurityNoticeDraft): void {
    const id = randomUUID()
    const queued = { deliveryAttempts: 0, nextAttemptAt: draft.happenedAt, status: 'queued' } as const
    this.securityNotices.set(id, { ...draft, ...queued, id })
  }

  /** Records the events of a write, and calls the listener. */
  commit(commit: Commit): void {
    const { traceContext: _, ...provenance } = commit.provenance
    this.events.push(...commit.events.map((event) => ({ ...event, ...provenance })))
    announce(this.#committed, commit)
  }
}

/** Lets others go first. Every call of a port awaits it before it reads or writes, so that races can happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
