import type { AuditTrail, RecordedEvent } from '../../src/application/ports/audit-trail.ts'
import type { OtpDelivery, OtpOutbox } from '../../src/application/ports/otp-outbox.ts'
import type { Provenance } from '../../src/application/ports/provenance.ts'
import type { StepUps } from '../../src/application/ports/step-ups.ts'
import type { UserRegistry } from '../../src/application/ports/user-directory.ts'
import {
  Challenge,
  type Idempotency,
  IdempotencyKeyReused,
  type PendingChallenge,
} from '../../src/domain/challenge.ts'
import type { CancellationReason, DomainEvent } from '../../src/domain/domain-event.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import type { OtpIssuance, QueuedIssuance } from '../../src/domain/otp-issuance.ts'
import type { StepUp, StepUpDecision } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import type { User } from '../../src/domain/user.ts'

/** The storage ports over one set of maps. Each call waits a turn first, so that races can happen. */
export class InMemoryStore implements StepUps, UserRegistry, OtpOutbox, AuditTrail {
  readonly events: RecordedEvent[] = []
  readonly #challenges = new Map<string, Challenge>()
  readonly #opened = new Map<string, { readonly id: string; readonly fingerprint: string }>()
  readonly #standings = new Map<string, SubjectStanding>()
  readonly #issuances = new Map<string, OtpIssuance>()
  readonly #users = new Map<string, User>()

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
    this.#record([event], provenance)
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
    { challenge, standing, issued, events }: StepUpDecision,
    provenance: Provenance,
  ): Promise<boolean> {
    await turn()
    const current = this.#standings.get(standing.subjectUserId)
    if (current?.version !== standing.version) return false

    this.#standings.set(standing.subjectUserId, { ...standing, version: standing.version + 1 })
    this.#challenges.set(challenge.id, challenge)
    if (issued) this.#issuances.set(issued.id, issued)
    this.#record(events, provenance)
    return true
  }

  async find(userId: string): Promise<User | undefined> {
    await turn()
    return this.#users.get(userId)
  }

  async put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    await turn()
    return this.#put(user, now, provenance)
  }

  async putAll(users: readonly User[], now: Date, provenance: Provenance) {
    await turn()
    const counts = { created: 0, updated: 0 }
    for (const user of users) counts[this.#put(user, now, provenance)]++
    return counts
  }

  async erase(userId: string, now: Date, provenance: Provenance): Promise<void> {
    await turn()
    this.#supersedeDecisions(userId)
    if (!this.#users.delete(userId)) return

    this.#cancelLive(userId, 'user-erased', now, provenance)
    for (const issuance of [...this.#issuances.values()].filter(
      ({ subjectUserId }) => subjectUserId === userId,
    )) {
      this.#issuances.set(issuance.id, { ...issuance, recipient: 'erased@erased.invalid' as EmailAddress })
    }
    this.#record([{ type: 'user-erased', subjectUserId: userId, at: now }], provenance)
  }

  async of(challengeId: string): Promise<readonly RecordedEvent[]> {
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
      }
    })
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: DomainEvent): Promise<void> {
    await turn()
    const current = this.#issuances.get(claimed.id)
    if (current?.status !== 'queued' || current.deliveryAttempts !== claimed.deliveryAttempts) return
    this.#issuances.set(claimed.id, outcome)
    this.#record([event], { actor: 'service' })
  }

  #put(user: User, now: Date, provenance: Provenance): 'created' | 'updated' {
    const { userId, email } = user
    this.#supersedeDecisions(userId)
    const previous = this.#users.get(userId)
    this.#users.set(userId, user)

    const emailAddressChanged = previous !== undefined && previous.email !== email
    if (emailAddressChanged) this.#cancelLive(userId, 'email-address-changed', now, provenance)
    this.#record([{ type: 'user-put', subjectUserId: userId, at: now, emailAddressChanged }], provenance)
    return previous ? 'updated' : 'created'
  }

  #supersedeDecisions(userId: string): void {
    const standing = this.#standings.get(userId) ?? SubjectStanding.blank(userId)
    this.#standings.set(userId, { ...standing, version: standing.version + 1 })
  }

  #cancelLive(userId: string, reason: CancellationReason, now: Date, provenance: Provenance): void {
    for (const challenge of [...this.#challenges.values()].filter((each) => isLiveOf(userId, each, now))) {
      const [cancelled, event] = Challenge.cancel(challenge, reason, now)
      this.#challenges.set(cancelled.id, cancelled)
      this.#record([event], provenance)
    }
  }

  #record(events: readonly DomainEvent[], provenance: Provenance): void {
    this.events.push(...events.map((event) => ({ ...event, ...provenance })))
  }
}

function isLiveOf(subjectUserId: string, challenge: Challenge, now: Date): boolean {
  return challenge.subjectUserId === subjectUserId && Challenge.isLive(challenge, now)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
