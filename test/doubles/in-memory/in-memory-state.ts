import { randomUUID } from 'node:crypto'
import type { SealColumns } from '../../../src/adapters/persistence-prisma/seals/row-seals.ts'
import type { RecordedEvent } from '../../../src/application/ports/audit-trail.ts'
import { announce, type Commit, type CommitListener } from '../../../src/application/ports/commit-listener.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import type { Forgery } from '../../../src/domain/domain-event.ts'
import type { LockNotice } from '../../../src/domain/lock-notice.ts'
import type { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import type { SecurityNotice, SecurityNoticeDraft } from '../../../src/domain/security-notice.ts'
import { SERVICE_EVENT_TYPES } from '../../../src/domain/service-event.ts'
import type { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import type { User } from '../../../src/domain/user.ts'
import type { EndpointHealth, WebhookEndpoint } from '../../../src/domain/webhook-endpoint.ts'
import { SEALS } from '../../support/seals.ts'

/** An event that a service gets to know, and the state of its delivery. */
export interface StoredServiceEvent {
  readonly id: string
  readonly clientId: string
  readonly event: Extract<RecordedEvent, { challengeId: string }>
  readonly position: number | undefined
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly leasedUntil: Date | undefined
  readonly outcome: 'accepted' | 'given-up' | undefined
}

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
  /** The security notices that lose their address with their outcome. */
  readonly erasedNotices = new Set<string>()
  /** When an entry of a user was erased last. */
  readonly erasures = new Map<string, Date>()
  /** The users who tried a challenge of somebody else, by challenge. */
  readonly strangers = new Map<string, ReadonlySet<string>>()
  /** When each mailbox got codes. */
  readonly mailboxes = new Map<string, readonly Date[]>()
  readonly events: RecordedEvent[] = []
  /** By client. */
  readonly endpoints = new Map<string, WebhookEndpoint>()
  readonly endpointHealth = new Map<string, EndpointHealth>()
  /** In the order of the trail. */
  readonly serviceEvents: StoredServiceEvent[] = []
  /** When each challenge of a client with an endpoint ends. */
  readonly expiries = new Map<string, Date>()
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
    const recorded = commit.events.map((event) => ({ ...event, ...provenance }))
    this.events.push(...recorded)
    for (const event of recorded) this.#queue(event)
    announce(this.#committed, commit)
  }

  /** As the trigger of the table does. */
  #queue(event: RecordedEvent): void {
    if (!('challengeId' in event) || !SERVICE_EVENT_TYPES.some((type) => type === event.type)) return
    const challenge = this.challenges.get(event.challengeId)
    if (!challenge || !this.endpoints.has(challenge.clientId)) return
    if (event.type === 'challenge-opened') this.expiries.set(challenge.id, challenge.expiresAt)
    const waiting = { position: undefined, attempts: 0, leasedUntil: undefined, outcome: undefined }
    const { clientId } = challenge
    this.serviceEvents.push({ id: randomUUID(), clientId, event, nextAttemptAt: event.at, ...waiting })
  }
}

/** Lets others go first. Every call of a port awaits it before it reads or writes, so that races can happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
