import { randomUUID } from 'node:crypto'
import type { Statements } from '../../../src/adapters/persistence-prisma/connection/statements.ts'
import type { CommitListener } from '../../../src/application/ports/commit-listener.ts'
import { MailOutcomes } from '../../../src/application/ports/mail-outcomes.ts'
import { StepUps } from '../../../src/application/ports/step-ups.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { PROVENANCE } from '../../contracts/stores.ts'
import { NOON, POLICY, TRANSFER } from '../../domain/examples.ts'

const STRANGER = 'stranger-'

/** Passes on the commits of the calls in between. */
export function ofNoStranger(committed: CommitListener): CommitListener {
  return (commit) => {
    if (!commit.events[0]?.subjectUserId.startsWith(STRANGER)) committed(commit)
  }
}

/**
 * Makes each call beside others of its kind, so that they share a statement. The others open challenges of their own, load nothing
 * and lose their race, which the calls in between must not notice.
 */
export class InCompany extends StepUps {
  readonly #stepUps: StepUps

  constructor(stepUps: StepUps) {
    super()
    this.#stepUps = stepUps
  }

  async open(...call: Parameters<StepUps['open']>): ReturnType<StepUps['open']> {
    const stranger = () => {
      const ids = { id: randomUUID(), clientId: randomUUID(), subjectUserId: `${STRANGER}${randomUUID()}` }
      const [challenge, event] = Challenge.open({ ...ids, operation: TRANSFER }, POLICY, NOON)
      return this.#stepUps.open(challenge, event, { key: 'stranger', fingerprint: 'f' }, PROVENANCE)
    }
    return between(stranger, () => this.#stepUps.open(...call))
  }

  async load(challengeId: string): ReturnType<StepUps['load']> {
    return between(
      () => this.#stepUps.load(randomUUID()),
      () => this.#stepUps.load(challengeId),
    )
  }

  async save(...[decision, provenance]: Parameters<StepUps['save']>): ReturnType<StepUps['save']> {
    const stranger = () => {
      const subjectUserId = `${STRANGER}${randomUUID()}`
      const challenge = { ...decision.challenge, id: randomUUID(), subjectUserId }
      const standing = { ...decision.standing, subjectUserId }
      return this.#stepUps.save({ challenge, standing, events: decision.events }, provenance)
    }
    return between(stranger, () => this.#stepUps.save(decision, provenance))
  }

  /** No group has it. */
  recordStranger(...call: Parameters<StepUps['recordStranger']>): ReturnType<StepUps['recordStranger']> {
    return this.#stepUps.recordStranger(...call)
  }
}

/** The same for reports about mails. The others report about mails that nobody sent. */
export class MailOutcomesInCompany extends MailOutcomes {
  readonly #mailOutcomes: MailOutcomes

  constructor(mailOutcomes: MailOutcomes) {
    super()
    this.#mailOutcomes = mailOutcomes
  }

  async load(issuanceId: string): ReturnType<MailOutcomes['load']> {
    return between(
      () => this.#mailOutcomes.load(randomUUID()),
      () => this.#mailOutcomes.load(issuanceId),
    )
  }

  async save(...[before, decision, provenance]: Parameters<MailOutcomes['save']>): Promise<boolean> {
    const stranger = () => {
      const subjectUserId = `${STRANGER}${randomUUID()}`
      const issuance = { ...before.issuance, id: randomUUID(), subjectUserId }
      const { standing } = decision
      return this.#mailOutcomes.save(
        { issuance, standing: { ...before.standing, subjectUserId } },
        { ...decision, standing: standing && { ...standing, subjectUserId } },
        provenance,
      )
    }
    return between(decision.issuance ? stranger : async () => {}, () =>
      this.#mailOutcomes.save(before, decision, provenance),
    )
  }
}

async function between<Result>(
  stranger: () => Promise<unknown>,
  call: () => Promise<Result>,
): Promise<Result> {
  const before = stranger()
  const own = call()
  const [result] = await Promise.allSettled([own, before, stranger()])
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** Counts the statements that more than one call shared, by the name of the statement for one. */
export function countShared(statements: Statements): Map<string, number> {
  const shared = new Map<string, number>()
  statements.onGrouped((name, members) => {
    if (members > 1) shared.set(name, (shared.get(name) ?? 0) + 1)
  })
  return shared
}
