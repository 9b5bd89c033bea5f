import type { Provenance } from '../../application/ports/provenance.ts'
import type { User, UserDirectory } from '../../application/ports/user-directory.ts'
import { Challenge } from '../../domain/challenge.ts'
import { available } from './available.ts'
import { Prisma, type PrismaClient } from './generated/client.ts'
import { type ChallengeRow, COLUMNS, challengeOf } from './rows.ts'

/** The directory in the service's own database. */
export class PrismaUserDirectory implements UserDirectory {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    return available(
      this.#prisma.$transaction(async (transaction) => {
        await supersedeDecisions(transaction, user.userId)
        const previous = await transaction.user.findUnique({ where: { userId: user.userId } })
        const entry = {
          email: user.email,
          locale: user.locale ?? null,
          displayName: user.displayName ?? null,
          updatedAt: now,
        }

        await transaction.user.upsert({
          where: { userId: user.userId },
          create: { ...entry, userId: user.userId, createdAt: now },
          update: entry,
        })
        if (previous && previous.email !== user.email)
          await cancelLive(transaction, user.userId, now, provenance)
        return previous ? 'updated' : 'created'
      }),
    )
  }
}

/**
 * Moves the subject's version, and holds its row until the transaction ends. A decision that was made on the
 * old entry can no longer be saved, and two changes of one user come one after the other.
 */
async function supersedeDecisions(transaction: Prisma.TransactionClient, userId: string): Promise<void> {
  await transaction.$executeRaw`
    INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
    VALUES (${userId}, 0, 0, '{}', 1)
    ON CONFLICT (subject_user_id) DO UPDATE SET version = subject_standings.version + 1`
}

async function cancelLive(
  transaction: Prisma.TransactionClient,
  subjectUserId: string,
  now: Date,
  { actor, requestId }: Provenance,
): Promise<void> {
  const rows = await transaction.$queryRaw<ChallengeRow[]>`
    SELECT ${Prisma.raw(COLUMNS.challenge)}
    FROM challenges c
    WHERE c.subject_user_id = ${subjectUserId}
      AND c.status IN ('pending', 'verified')
      AND c.expires_at > ${now}::timestamptz`

  for (const row of rows) {
    const [cancelled, event] = Challenge.cancel(challengeOf(row), 'email-address-changed', now)
    await transaction.challenge.update({
      where: { id: cancelled.id },
      data: { status: cancelled.status, cancelledAt: cancelled.cancelledAt, verifiedAt: null },
    })
    const { type, challengeId, at, subjectUserId: _, ...details } = event
    await transaction.challengeEvent.create({
      data: {
        challengeId,
        subjectUserId,
        type,
        occurredAt: at,
        actor,
        requestId: requestId ?? null,
        details,
      },
    })
  }
}
