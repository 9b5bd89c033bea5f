import type { ReportableChallenges } from '../../../application/ports/reportable-challenges.ts'
import { bucketInId, bucketOf } from '../../../domain/bucket.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'

export class PrismaReportableChallenges implements ReportableChallenges {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async challengeOf(issuanceId: string): Promise<string | undefined> {
    const issuances = this.#prisma.otpIssuance
    const select = { challengeId: true }
    const row = await translateStorageErrors(
      issuances.findUnique({ where: { id: issuanceId, bucket: bucketInId(issuanceId) }, select }),
    )
    // An id from before the buckets does not carry its bucket.
    const found =
      row ?? (await translateStorageErrors(issuances.findUnique({ where: { id: issuanceId }, select })))
    return found?.challengeId
  }

  async liveOf(subjectUserId: string, now: Date, atMost: number): Promise<readonly string[]> {
    const rows = await translateStorageErrors(
      this.#prisma.challenge.findMany({
        where: {
          subjectUserId,
          bucket: bucketOf(subjectUserId),
          status: { in: ['pending', 'verified'] },
          expiresAt: { gt: now },
        },
        orderBy: { expiresAt: 'desc' },
        take: atMost,
        select: { id: true },
      }),
    )
    return rows.map(({ id }) => id)
  }
}
