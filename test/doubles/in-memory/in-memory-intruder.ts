import type { Challenge } from '../../../src/domain/challenge.ts'
import type { EmailAddress } from '../../../src/domain/email-address.ts'
import type { Intruder } from '../../contracts/stores.ts'
import type { InMemoryState } from './in-memory-state.ts'

export class InMemoryIntruder implements Intruder {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async rewrite(challengeId: string, change: (challenge: Challenge) => Challenge): Promise<void> {
    const { challenges } = this.#state
    challenges.set(challengeId, change(challenges.get(challengeId)!))
  }

  async redirect(issuanceId: string, recipient: EmailAddress): Promise<void> {
    const { issuances } = this.#state
    issuances.set(issuanceId, { ...issuances.get(issuanceId)!, recipient })
  }

  async unseal(challengeId: string): Promise<void> {
    this.#state.challengeSeals.set(challengeId, {
      c_demand_seal: null,
      c_approval_seal: null,
      c_consumption_seal: null,
    })
  }
}
