import type { PrismaClient } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { endOf } from '../../../src/adapters/persistence-prisma/step-ups/step-up-statements.ts'
import type { StepUps } from '../../../src/application/ports/step-ups.ts'
import { bucketOf } from '../../../src/domain/bucket.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import type { EmailAddress } from '../../../src/domain/email-address.ts'
import type { Intruder } from '../../contracts/stores.ts'

/** Writes to the tables as anybody with the rights of the service can. */
export class PrismaIntruder implements Intruder {
  readonly #prisma: PrismaClient
  readonly #stepUps: StepUps

  constructor(prisma: PrismaClient, stepUps: StepUps) {
    this.#prisma = prisma
    this.#stepUps = stepUps
  }

  async rewrite(id: string, change: (challenge: Challenge) => Challenge): Promise<void> {
    const { challenge } = (await this.#stepUps.load(id))!
    const changed = change(challenge)
    const { operation, clientId, subjectUserId, status, createdAt, expiresAt } = changed
    const { consumedBy, ...end } = endOf(changed)
    await this.#prisma.challenge.update({
      where: { id },
      data: {
        ...{ clientId, subjectUserId, status, createdAt, expiresAt },
        ...bucketFor(subjectUserId, challenge),
        operationType: operation.type,
        operationDigest: operation.digest,
        operationSummary: operation.summary.map((line) => ({ ...line })),
        ...end,
        consumptionKey: consumedBy?.key ?? null,
        consumptionFingerprint: consumedBy?.fingerprint ?? null,
      },
    })
  }

  async redirect(id: string, recipient: EmailAddress): Promise<void> {
    await this.#prisma.otpIssuance.update({ where: { id }, data: { recipient } })
  }

  async unseal(id: string): Promise<void> {
    await this.#prisma.challenge.update({
      where: { id },
      data: { demandSeal: null, approvalSeal: null, consumptionSeal: null },
    })
  }
}

/** A row that is not in the bucket of its subject is refused. Citus refuses to put a row into another bucket at all, even into the same. */
function bucketFor(subjectUserId: string, before: Challenge) {
  const bucket = bucketOf(subjectUserId)
  return bucket === bucketOf(before.subjectUserId) ? {} : { bucket }
}
