import type { Provenance } from '../../application/ports/provenance.ts'
import type { User, UserRegistry } from '../../application/ports/user-directory.ts'
import { Challenge } from '../../domain/challenge.ts'
import type { CancellationReason, DomainEvent } from '../../domain/domain-event.ts'
import type { EmailAddress } from '../../domain/email-address.ts'
import { available } from './available.ts'
import { columnsOf } from './events.ts'
import { Prisma, type PrismaClient } from './generated/client.ts'
import { type ChallengeRow, COLUMNS, challengeOf } from './rows.ts'

/** In the place of an address that had to be forgotten; `.invalid` never reaches anybody (RFC 2606 §2). */
const ERASED_ADDRESS = 'erased@erased.invalid'

/** The directory in the service's own database. */
export class PrismaUserRegistry implements UserRegistry {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async find(userId: string): Promise<User | undefined> {
    const row = await available(this.#prisma.user.findUnique({ where: { userId } }))
    if (!row) return undefined
    const { email, locale, displayName } = row
    return {
      userId,
      email: email as EmailAddress,
      locale: locale ?? undefined,
      displayName: displayName ?? undefined,
    }
  }

  put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    return this.#change(user.userId, now, provenance, async (change) => {
      const { userId, email } = user
      const previous = await change.transaction.user.findUnique({ where: { userId } })
      const entry = {
        email,
        locale: user.locale ?? null,
        displayName: user.displayName ?? null,
        updatedAt: now,
      }
      await change.transaction.user.upsert({
        where: { userId },
        create: { ...entry, userId, createdAt: now },
        update: entry,
      })

      const emailAddressChanged = previous !== null && previous.email !== email
      if (emailAddressChanged) await change.cancelLive('email-address-changed')
      await change.record({ type: 'user-put', subjectUserId: userId, at: now, emailAddressChanged })
      return previous ? 'updated' : 'created'
    })
  }

  erase(userId: string, now: Date, provenance: Provenance): Promise<void> {
    return this.#change(userId, now, provenance, async (change) => {
      const { count } = await change.transaction.user.deleteMany({ where: { userId } })
      if (count === 0) return

      await change.cancelLive('user-erased')
      await change.transaction.otpIssuance.updateMany({
        where: { challenge: { subjectUserId: userId } },
        data: { recipient: ERASED_ADDRESS },
      })
      await change.record({ type: 'user-erased', subjectUserId: userId, at: now })
    })
  }

  #change<Result>(
    userId: string,
    now: Date,
    provenance: Provenance,
    make: (change: UserChange) => Promise<Result>,
  ): Promise<Result> {
    return available(
      this.#prisma.$transaction(async (transaction) => {
        const change = new UserChange(transaction, userId, now, provenance)
        await change.supersedeDecisions()
        return make(change)
      }),
    )
  }
}

/** What a change of a user's entry does besides changing it. */
class UserChange {
  readonly transaction: Prisma.TransactionClient
  readonly #userId: string
  readonly #now: Date
  readonly #provenance: Provenance

  constructor(transaction: Prisma.TransactionClient, userId: string, now: Date, provenance: Provenance) {
    this.transaction = transaction
    this.#userId = userId
    this.#now = now
    this.#provenance = provenance
  }

  /**
   * Moves the subject's version, and holds its row until the transaction ends. A decision that was made on the
   * old entry can no longer be saved, and two changes of one user come one after the other.
   */
  async supersedeDecisions(): Promise<void> {
    await this.transaction.$executeRaw`
      INSERT INTO subject_standings (
        subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version
      )
      VALUES (${this.#userId}, 0, 0, '{}', 1)
      ON CONFLICT (subject_user_id) DO UPDATE SET version = subject_standings.version + 1`
  }

  async cancelLive(reason: CancellationReason): Promise<void> {
    const rows = await this.transaction.$queryRaw<ChallengeRow[]>`
      SELECT ${Prisma.raw(COLUMNS.challenge)}
      FROM challenges c
      WHERE c.subject_user_id = ${this.#userId}
        AND c.status IN ('pending', 'verified')
        AND c.expires_at > ${this.#now}::timestamptz`

    for (const row of rows) {
      const [cancelled, event] = Challenge.cancel(challengeOf(row), reason, this.#now)
      await this.transaction.challenge.update({
        where: { id: cancelled.id },
        data: { status: cancelled.status, cancelledAt: cancelled.cancelledAt, verifiedAt: null },
      })
      await this.record(event)
    }
  }

  async record(event: DomainEvent): Promise<void> {
    const { at, ...columns } = columnsOf(event)
    const { actor, requestId = null } = this.#provenance
    await this.transaction.challengeEvent.create({
      data: { ...columns, occurredAt: at, actor, requestId },
    })
  }
}
