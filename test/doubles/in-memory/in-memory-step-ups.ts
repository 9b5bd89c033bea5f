import type { Provenance } from '../../../src/application/ports/provenance.ts'
import type { LoadedStepUp, StepUps, StrangerEvent } from '../../../src/application/ports/step-ups.ts'
import {
  Challenge,
  type Idempotency,
  IdempotencyKeyReused,
  LiveChallengesSpent,
  type PendingChallenge,
} from '../../../src/domain/challenge.ts'
import type { ChallengeEvent } from '../../../src/domain/domain-event.ts'
import { secondsAfter, secondsUntil } from '../../../src/domain/instant.ts'
import type { StepUpDecision } from '../../../src/domain/step-up.ts'
import { IssuancesSpent, SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { SEALS } from '../../support/seals.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryStepUps implements StepUps {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    { key, fingerprint }: Idempotency,
    provenance: Provenance,
    mostLive = Number.POSITIVE_INFINITY,
  ) {
    await turn()
    const { opened, challenges, challengeSeals, standings } = this.#state
    const keyOfClient = JSON.stringify([challenge.clientId, key])
    const existing = opened.get(keyOfClient)
    if (existing) {
      if (existing.fingerprint !== fingerprint) throw new IdempotencyKeyReused()
      const found = challenges.get(existing.id)!
      const forgery = SEALS.forgeryInDemand(challengeSeals.get(found.id)!, found)
      return { challenge: found, created: false, ...(forgery && { forgery }) }
    }
    const { clientId, subjectUserId, createdAt: now } = challenge
    const ends = [...challenges.values()]
      .filter((each) => each.clientId === clientId && each.subjectUserId === subjectUserId)
      .filter((each) => Challenge.isLive(each, now))
      .map(({ expiresAt }) => expiresAt.getTime())
    if (ends.length >= mostLive) {
      throw new LiveChallengesSpent(secondsUntil(new Date(Math.min(...ends)), now))
    }
    opened.set(keyOfClient, { id: challenge.id, fingerprint })
    challenges.set(challenge.id, challenge)
    challengeSeals.set(challenge.id, {
      c_demand_seal: SEALS.ofDemand(challenge),
      c_approval_seal: null,
      c_consumption_seal: null,
    })
    if (!standings.has(challenge.subjectUserId)) {
      standings.set(challenge.subjectUserId, SubjectStanding.blank(challenge.subjectUserId))
    }
    this.#state.commit({ events: [event], provenance, challenge })
    return { challenge, created: true }
  }

  async load(challengeId: string): Promise<LoadedStepUp | undefined> {
    await turn()
    const { challenges, standings, issuances, users } = this.#state
    const challenge = challenges.get(challengeId)
    if (!challenge) return undefined
    const issuance = [...issuances.values()].find(
      (each) => each.challengeId === challenge.id && each.number === challenge.issuanceCount,
    )
    return {
      challenge,
      standing: standings.get(challenge.subjectUserId)!,
      issuance,
      user: users.get(challenge.subjectUserId),
      forgery:
        this.#state.forgeryIn(challenge, issuance) ?? (this.#isSetBack(challenge) ? 'set-back' : undefined),
    }
  }

  async save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    await turn()
    const { challenge, standing, issued, mailbox, verifiedBy, lockNotice, securityNotice, events } = decision
    const { challenges, standings, issuances, traceContexts, lockNotices } = this.#state
    const current = standings.get(standing.subjectUserId)
    if (current?.version !== standing.version || !challenges.has(challenge.id)) return false

    if (issued && mailbox) this.#count(mailbox, issued.issuedAt)
    standings.set(standing.subjectUserId, { ...standing, version: standing.version + 1 })
    challenges.set(challenge.id, challenge)
    this.#seal(decision)
    if (issued) {
      issuances.set(issued.id, issued)
      traceContexts.set(issued.id, provenance.traceContext)
    }
    if (lockNotice) lockNotices.set(lockNotice.id, lockNotice)
    if (securityNotice) this.#state.notify(securityNotice)
    this.#state.commit({ events, provenance, challenge, issuance: issued ?? verifiedBy })
    return true
  }

  async recordStranger(event: StrangerEvent, provenance: Provenance): Promise<void> {
    await turn()
    const { strangers } = this.#state
    const known = strangers.get(event.challengeId) ?? new Set()
    if (known.has(event.subjectUserId) || known.size >= 10) return
    strangers.set(event.challengeId, new Set([...known, event.subjectUserId]))
    this.#state.commit({ events: [event], provenance })
  }

  #seal(decision: StepUpDecision): void {
    const { challengeSeals, issuanceSeals } = this.#state
    const { approval, consumption, issuance } = SEALS.ofDecision(decision)
    const { id } = decision.challenge
    const seals = challengeSeals.get(id)!
    challengeSeals.set(id, {
      ...seals,
      c_approval_seal: approval ?? seals.c_approval_seal,
      c_consumption_seal: consumption ?? seals.c_consumption_seal,
    })
    if (decision.issued) issuanceSeals.set(decision.issued.id, issuance)
  }

  #isSetBack({ id, status }: Challenge): boolean {
    return status === 'verified' && this.#state.hasEndedOnTrail(id)
  }

  #count({ key, atMost }: NonNullable<StepUpDecision['mailbox']>, now: Date): void {
    const { mailboxes } = this.#state
    const recent = (mailboxes.get(key) ?? []).filter((at) => now < secondsAfter(at, 3600))
    const decisive = recent.at(-atMost)
    if (decisive) throw new IssuancesSpent(secondsUntil(secondsAfter(decisive, 3600), now))
    mailboxes.set(key, [...recent, now])
  }
}
