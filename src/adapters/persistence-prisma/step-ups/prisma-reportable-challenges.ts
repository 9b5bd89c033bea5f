import type { ReportableChallenges } from '../../../application/ports/reportable-challenges.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'

export class PrismaReportableChallenges implements ReportableChallenges {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async challengeOf(issuanceId: string): Promise<string | undefined> {
    const row = await translateStorageErrors(
      this.#prisma.otpIssuance.findUnique({ where: { id: issuanceId }, select: { challengeId: true } }),
    )
    return row?.challengeId
  }

  async liveOf(subjectUserId: string, now: Date, atMost: number): Promise<readonly string[]> {
    const rows = await translateStorageErrors(
      this.#prisma.challenge.findMany({
        where: { subjectUserId, status: { in: ['pending', 'verified'] }, expiresAt: { gt: now } },
        orderBy: { expiresAt: 'desc' },
        take: atMost,
        select: { id: true },
      }),
    )
    return rows.map(({ id }) => id)
  }
}
