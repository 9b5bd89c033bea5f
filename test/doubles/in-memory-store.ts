import type { AuditTrail, RecordedEvent } from '../../src/application/ports/audit-trail.ts'
import { announce, type Commit, type CommitListener } from '../../src/application/ports/commit-listener.ts'
import type { LockNoticeDelivery, LockNotices } from '../../src/application/ports/lock-notices.ts'
import type { MailOutcomes } from '../../src/application/ports/mail-outcomes.ts'
import type { OtpDelivery, OtpOutbox } from '../../src/application/ports/otp-outbox.ts'
import type { Provenance } from '../../src/application/ports/provenance.ts'
import type { Purged, Retention } from '../../src/application/ports/retention.ts'
import type { StepUps } from '../../src/application/ports/step-ups.ts'
import type { Suppressions } from '../../src/application/ports/suppressions.ts'
import type { UserRegistry } from '../../src/application/ports/user-directory.ts'
import {
  Challenge,
  type Idempotency,
  IdempotencyKeyReused,
  type PendingChallenge,
} from '../../src/domain/challenge.ts'
import type { CancellationReason, DomainEvent } from '../../src/domain/domain-event.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { LockNotice, type QueuedLockNotice } from '../../src/domain/lock-notice.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../src/domain/mail-outcome.ts'
import type { OtpIssuance, QueuedIssuance } from '../../src/domain/otp-issuance.ts'
import type { StepUp, StepUpDecision } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import type { User } from '../../src/domain/user.ts'

/** The storage ports over one set of maps. Each call waits a turn first, so that races can happen. */
export class InMemoryStore implements StepUps, UserRegistry, OtpOutbox, AuditTrail, Retention {
  readonly events: RecordedEvent[] = []
  readonly #challenges = new Map<string, Challenge>()
  readonly #opened = new Map<string, { readonly id: string; readonly fingerprint: string }>()
  readonly #standings = new Map<string, SubjectStanding>()
  readonly #issuances = new Map<string, OtpIssuance>()
  readonly #traceContexts = new Map<string, string | undefined>()
  readonly #lockNotices = new Map<string, LockNotice>()
  readonly #users = new Map<string, User>()
  readonly #committed: CommitListener

  constructor(committed: CommitListener = () => {}) {
    this.#committed = committed
  }

  /** Ports whose methods are named like those of others. */
  readonly mailOutcomes: MailOutcomes = {
    load: (issuanceId) => this.#loadFate(issuanceId),
    save: (before, decision, provenance) => this.#saveFate(before, decision, provenance),
  }
  readonly lockNotices: LockNotices = {
    claim: (limit, now, leaseEnd) => this.#claimNotices(limit, now, leaseEnd),
    record: async (claimed, outcome, events) => {
      await turn()
      const current = this.#lockNotices.get(claimed.id)
      if (current?.status !== 'queued' || current.deliveryAttempts !== claimed.deliveryAttempts) return false
      this.#lockNotices.set(claimed.id, outcome)
      this.#commit({ events, provenance: { actor: 'service' } })
      return true
    },
  }
  readonly suppressions: Suppressions = {
    findBySubject: async (subjectUserId) => {
      await turn()
      return this.#standings.get(subjectUserId)
    },
    findByAddress: async (address) => {
      await turn()
      return [...this.#standings.values()].filter(
        ({ suppression }) => suppression?.address?.toLowerCase() === address.toLowerCase(),
      )
    },
    save: async (standing, events, provenance) => {
      await turn()
      if (!this.#suppress(standing)) return false
      this.#commit({ events, provenance })
      return true
    },
  }

  async open(
    challenge: PendingChallenge,
    event: DomainEvent,
    { key, fingerprint }: Idempotency,
    provenance: Provenance,
  ) {
    await turn()
    const keyOfClient = JSON.stringify([challenge.clientId, key])
    const existing = this.#opened.get(keyOfClient)
    if (existing) {
      if (existing.fingerprint !== fingerprint) throw new IdempotencyKeyReused()
      return { challenge: this.#challenges.get(existing.id)!, created: false }
    }
    this.#opened.set(keyOfClient, { id: challenge.id, fingerprint })
    this.#challenges.set(challenge.id, challenge)
    if (!this.#standings.has(challenge.subjectUserId)) {
      this.#standings.set(challenge.subjectUserId, SubjectStanding.blank(challenge.subjectUserId))
    }
    this.#commit({ events: [event], provenance, challenge })
    return { challenge, created: true }
  }

  async load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined> {
    await turn()
    const challenge = this.#challenges.get(challengeId)
    return (
      challenge && {
        challenge,
        standing: this.#standings.get(challenge.subjectUserId)!,
        issuance: [...this.#issuances.values()].find(
          (issuance) => issuance.challengeId === challenge.id && issuance.number === challenge.issuanceCount,
        ),
        user: this.#users.get(challenge.subjectUserId),
      }
    )
  }

  async save(
    { challenge, standing, issued, verifiedBy, lockNotice, events }: StepUpDecision,
    provenance: Provenance,
  ): Promise<boolean> {
    await turn()
    const current = this.#standings.get(standing.subjectUserId)
    if (current?.version !== standing.version || !this.#challenges.has(challenge.id)) return false

    this.#standings.set(standing.subjectUserId, { ...standing, version: standing.version + 1 })
    this.#challenges.set(challenge.id, challenge)
    if (issued) {
      this.#issuances.set(issued.id, issued)
      this.#traceContexts.set(issued.id, provenance.traceContext)
    }
    if (lockNotice) this.#lockNotices.set(lockNotice.id, lockNotice)
    this.#commit({ events, provenance, challenge, issuance: issued ?? verifiedBy })
    return true
  }

  async find(userId: string): Promise<User | undefined> {
    await turn()
    return this.#users.get(userId)
  }

  async put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    await turn()
    const events: DomainEvent[] = []
    const outcome = this.#put(user, now, events)
    this.#commit({ events, provenance })
    return outcome
  }

  async putAll(users: readonly User[], now: Date, provenance: Provenance) {
    await turn()
    const counts = { created: 0, updated: 0 }
    const events: DomainEvent[] = []
    for (const user of users) counts[this.#put(user, now, events)]++
    this.#commit({ events, provenance })
    return counts
  }

  async erase(userId: string, now: Date, provenance: Provenance): Promise<void> {
    await turn()
    this.#supersedeDecisions(userId)
    if (!this.#users.delete(userId)) return

    const standing = this.#standings.get(userId)!
    this.#standings.set(userId, { ...standing, suppression: undefined })
    const events = this.#cancelLive(userId, 'user-erased', now)
    for (const issuance of [...this.#issuances.values()].filter(
      ({ subjectUserId }) => subjectUserId === userId,
    )) {
      this.#issuances.set(issuance.id, { ...issuance, recipient: 'erased@erased.invalid' as EmailAddress })
    }
    events.push(...this.#eraseNotices(userId, now), { type: 'user-erased', subjectUserId: userId, at: now })
    this.#commit({ events, provenance })
  }

  async eventsOf(challengeId: string): Promise<readonly RecordedEvent[]> {
    await turn()
    return this.events.filter((event) => 'challengeId' in event && event.challengeId === challengeId)
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    await turn()
    const due = [...this.#issuances.values()]
      .filter(
        (issuance): issuance is QueuedIssuance =>
          issuance.status === 'queued' && issuance.nextAttemptAt <= now,
      )
      .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
      .slice(0, limit)
    return due.map((issuance) => {
      const claimed = {
        ...issuance,
        deliveryAttempts: issuance.deliveryAttempts + 1,
        nextAttemptAt: leaseEnd,
      }
      this.#issuances.set(claimed.id, claimed)
      return {
        issuance: claimed,
        challenge: this.#challenges.get(claimed.challengeId)!,
        user: this.#users.get(claimed.subjectUserId),
        traceContext: this.#traceContexts.get(claimed.id),
      }
    })
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: DomainEvent): Promise<boolean> {
    await turn()
    const current = this.#issuances.get(claimed.id)
    if (current?.deliveryAttempts !== claimed.deliveryAttempts) return false
    const recorded = withOutcome(current, outcome)
    if (!recorded) return false
    this.#issuances.set(claimed.id, recorded)
    this.#commit({ events: [event], provenance: { actor: 'service' }, issuance: claimed })
    return true
  }

  async #claimNotices(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]> {
    await turn()
    const due = [...this.#lockNotices.values()]
      .filter((each): each is QueuedLockNotice => each.status === 'queued' && each.nextAttemptAt <= now)
      .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
      .slice(0, limit)
    return due.map((each) => {
      const notice = { ...each, deliveryAttempts: each.deliveryAttempts + 1, nextAttemptAt: leaseEnd }
      this.#lockNotices.set(notice.id, notice)
      return { notice, user: this.#users.get(notice.subjectUserId) }
    })
  }

  #eraseNotices(userId: string, now: Date): DomainEvent[] {
    const withdrawn: DomainEvent[] = []
    for (const notice of [...this.#lockNotices.values()].filter((each) => each.subjectUserId === userId)) {
      const [settled, events] =
        notice.status === 'queued' ? LockNotice.fail(notice, 'user-erased', now) : [notice, []]
      this.#lockNotices.set(notice.id, { ...settled, recipient: 'erased@erased.invalid' as EmailAddress })
      withdrawn.push(...events)
    }
    return withdrawn
  }

  async #loadFate(issuanceId: string): Promise<MailOutcome | undefined> {
    await turn()
    const issuance = this.#issuances.get(issuanceId)
    return issuance && { issuance, standing: this.#standings.get(issuance.subjectUserId)! }
  }

  async #saveFate(
    before: MailOutcome,
    { issuance, standing, events }: MailOutcomeDecision,
    provenance: Provenance,
  ): Promise<boolean> {
    await turn()
    const current = this.#issuances.get(before.issuance.id)
    if (!current || (issuance && !isStillAs(before.issuance, current))) return false
    if (standing && !this.#suppress(standing)) return false
    if (issuance) this.#issuances.set(issuance.id, withSending(issuance, current))
    this.#commit({ events, provenance, issuance: before.issuance })
    return true
  }

  #suppress({ subjectUserId, suppression, version }: SubjectStanding): boolean {
    const current = this.#standings.get(subjectUserId)
    if (current?.version !== version) return false
    this.#standings.set(subjectUserId, { ...current, suppression, version: version + 1 })
    return true
  }

  async *purge(expiredBefore: Date, limit: number): AsyncGenerator<Purged> {
    const expired = (challenge: Challenge) => challenge.expiresAt < expiredBefore
    const ofUserBefore = (event: RecordedEvent) => !('challengeId' in event) && event.at < expiredBefore
    const challengeBatch = () => {
      const ids = new Set(
        [...this.#challenges.values()]
          .filter(expired)
          .slice(0, limit)
          .map(({ id }) => id),
      )
      return { challenges: ids.size, events: this.#purgeChallenges(ids) }
    }
    const userEventBatch = () => {
      const events = new Set(this.events.filter(ofUserBefore).slice(0, limit))
      return { challenges: 0, events: this.#purgeEvents((event) => events.has(event)) }
    }

    for (const batch of [challengeBatch, userEventBatch]) {
      for (let found = true; found; ) {
        await turn()
        const purged = batch()
        found = purged.challenges + purged.events > 0
        yield purged
      }
    }
  }

  async oldestExpiry(): Promise<Date | undefined> {
    await turn()
    const [oldest] = [...this.#challenges.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
    return oldest?.expiresAt
  }

  /** Gives the number of events that went with them. */
  #purgeChallenges(ids: ReadonlySet<string>): number {
    for (const id of ids) this.#challenges.delete(id)
    for (const [key, { id }] of this.#opened) if (ids.has(id)) this.#opened.delete(key)
    for (const { id, challengeId } of this.#issuances.values()) {
      if (ids.has(challengeId)) this.#issuances.delete(id)
    }
    for (const { id, challengeId } of this.#lockNotices.values()) {
      if (ids.has(challengeId)) this.#lockNotices.delete(id)
    }
    return this.#purgeEvents((event) => 'challengeId' in event && ids.has(event.challengeId))
  }

  #purgeEvents(isPast: (event: RecordedEvent) => boolean): number {
    const kept = this.events.filter((event) => !isPast(event))
    return this.events.splice(0, Infinity, ...kept).length - kept.length
  }

  #put(user: User, now: Date, events: DomainEvent[]): 'created' | 'updated' {
    const { userId, email } = user
    this.#supersedeDecisions(userId)
    const previous = this.#users.get(userId)
    this.#users.set(userId, user)

    const emailAddressChanged = previous !== undefined && previous.email !== email
    if (emailAddressChanged) events.push(...this.#cancelLive(userId, 'email-address-changed', now))
    events.push({ type: 'user-put', subjectUserId: userId, at: now, emailAddressChanged })
    return previous ? 'updated' : 'created'
  }

  #supersedeDecisions(userId: string): void {
    const standing = this.#standings.get(userId) ?? SubjectStanding.blank(userId)
    this.#standings.set(userId, { ...standing, version: standing.version + 1 })
  }

  #cancelLive(userId: string, reason: CancellationReason, now: Date): DomainEvent[] {
    const events: DomainEvent[] = []
    for (const challenge of [...this.#challenges.values()].filter((each) => isLiveOf(userId, each, now))) {
      const [cancelled, event] = Challenge.cancel(challenge, reason, now)
      this.#challenges.set(cancelled.id, cancelled)
      events.push(event)
    }
    return events
  }

  #commit(commit: Commit): void {
    const { traceContext: _, ...provenance } = commit.provenance
    this.events.push(...commit.events.map((event) => ({ ...event, ...provenance })))
    announce(this.#committed, commit)
  }
}

/** What is recorded of a hand-over, given what the mail system may have reported already; undefined if nothing. */
function withOutcome(current: OtpIssuance, outcome: OtpIssuance): OtpIssuance | undefined {
  if (current.status === 'queued') return outcome
  const isReported = current.status === 'delivered' || current.status === 'bounced'
  if (!isReported || current.sentAt || outcome.status !== 'sent') return undefined
  return { ...current, sentAt: outcome.sentAt, messageId: outcome.messageId }
}

/** What is reported, with what the deliverer has written meanwhile. */
function withSending(issuance: OtpIssuance, { deliveryAttempts, ...current }: OtpIssuance): OtpIssuance {
  return 'sentAt' in current && 'sentAt' in issuance
    ? ({ ...issuance, deliveryAttempts, sentAt: current.sentAt, messageId: current.messageId } as OtpIssuance)
    : { ...issuance, deliveryAttempts }
}

function isStillAs(before: OtpIssuance, current: OtpIssuance): boolean {
  const known = (issuance: OtpIssuance) => [
    'deliveredAt' in issuance && issuance.deliveredAt?.getTime(),
    issuance.status === 'bounced' && [issuance.bouncedAt.getTime(), issuance.kind],
  ]
  return JSON.stringify(known(before)) === JSON.stringify(known(current))
}

function isLiveOf(subjectUserId: string, challenge: Challenge, now: Date): boolean {
  return challenge.subjectUserId === subjectUserId && Challenge.isLive(challenge, now)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
