import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import { clientOf, type Provenance } from '../../../application/ports/provenance.ts'
import type { UserRegistry } from '../../../application/ports/user-directory.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { Challenge } from '../../../domain/challenge.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import { type EmailAddress, ERASED_ADDRESS } from '../../../domain/email-address.ts'
import type { QueuedLockNotice } from '../../../domain/lock-notice.ts'
import { User, type UserDecision } from '../../../domain/user.ts'
import { appendEvents } from '../audit-trail/event-row.ts'
import { limitLockWaits } from '../connection/lock-waits.ts'
import { type Sharding, shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import { Turns } from '../connection/turns.ts'
import { Prisma, type PrismaClient } from '../generated/client.ts'
import {
  LOCK_NOTICE_COLUMNS,
  type LockNoticeRow,
  queuedLockNoticeOf,
} from '../lock-notices/lock-notice-row.ts'
import { insertSecurityNotice } from '../security-notices/security-notice-statements.ts'
import { CHALLENGE_COLUMNS, type ChallengeRow, challengeOf } from '../step-ups/challenge-row.ts'

/** Long enough to import several hundred thousand users in one transaction. */
const TRANSACTION_TIMEOUT_IN_MS = 600_000

/** An import waits for decisions about each of its users in turn, and no request waits for the import. */
const IMPORT_LOCK_TIMEOUT = '60s'

/** The directory in the service's own database. */
export class PrismaUserRegistry implements UserRegistry {
  readonly #prisma: PrismaClient
  readonly #committed: CommitListener
  readonly #sharding: Sharding
  readonly #turns = new Turns()

  constructor(prisma: PrismaClient, committed: CommitListener = () => {}) {
    this.#prisma = prisma
    this.#committed = committed
    this.#sharding = shardingOf(prisma)
  }

  async find(userId: string): Promise<User | undefined> {
    return translateStorageErrors(findUser(this.#prisma, userId))
  }

  put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    return this.#turns.take(user.userId, () =>
      this.#transaction(provenance, (transaction, events) =>
        this.#change(transaction, user.userId, now, events, provenance).put(user),
      ),
    )
  }

  putAll(users: readonly User[], now: Date, provenance: Provenance) {
    return this.#transaction(provenance, async (transaction, events) => {
      const counts = { created: 0, updated: 0 }
      await limitLockWaits(transaction, this.#sharding, IMPORT_LOCK_TIMEOUT)
      // Sort by id, so that two imports of the same users cannot deadlock.
      for (const user of users.toSorted((one, other) => (one.userId < other.userId ? -1 : 1))) {
        const change = this.#change(transaction, user.userId, now, events, provenance)
        counts[await change.put(user)]++
      }
      return counts
    })
  }

  erase(userId: string, now: Date, provenance: Provenance, tellsAddress = false): Promise<void> {
    return this.#turns.take(userId, () =>
      this.#transaction(provenance, (transaction, events) =>
        this.#change(transaction, userId, now, events, provenance).erase(tellsAddress),
      ),
    )
  }

  #change(
    transaction: Prisma.TransactionClient,
    userId: string,
    now: Date,
    events: DomainEvent[],
    provenance: Provenance,
  ): UserChange {
    return new UserChange(transaction, userId, now, events, clientOf(provenance), this.#sharding)
  }

  async #transaction<Result>(
    provenance: Provenance,
    change: (transaction: Prisma.TransactionClient, events: DomainEvent[]) => Promise<Result>,
  ): Promise<Result> {
    const events: DomainEvent[] = []
    const result = await translateStorageErrors(
      this.#prisma.$transaction(
        async (transaction) => {
          const result = await change(transaction, events)
          await appendEvents(transaction, events, provenance)
          return result
        },
        { timeout: TRANSACTION_TIMEOUT_IN_MS },
      ),
    )
    announce(this.#committed, { events, provenance })
    return result
  }
}

/** Changes one user's entry. It holds the subject's lock, loads what the decision needs, and stores the result. */
class UserChange {
  readonly #transaction: Prisma.TransactionClient
  readonly #userId: string
  readonly #now: Date
  /** Receives each event. The transaction stores them at its end. */
  readonly #events: DomainEvent[]
  /** The client that changes the entry; undefined if an operator does. */
  readonly #clientId: string | undefined
  readonly #bucket: number
  readonly #sharding: Sharding

  constructor(
    transaction: Prisma.TransactionClient,
    userId: string,
    now: Date,
    events: DomainEvent[],
    clientId: string | undefined,
    sharding: Sharding,
  ) {
    this.#bucket = bucketOf(userId)
    this.#sharding = sharding
    this.#transaction = transaction
    this.#userId = userId
    this.#now = now
    this.#events = events
    this.#clientId = clientId
  }

  async put(user: User): Promise<'created' | 'updated'> {
    const erasedAt = await this.#supersedeDecisions()
    const previous = await findUser(this.#transaction, this.#userId)
    // Skip the load where it is not needed: an import puts many entries and changes few addresses.
    const live = User.changesAddress(previous, user) ? await this.#liveChallenges() : []

    await this.#replaceEntry(User.replacing(previous, user, erasedAt, this.#now))
    await this.#store(User.changeEntry(previous, user, live, this.#now))
    return previous ? 'updated' : 'created'
  }

  async erase(tellsAddress: boolean): Promise<void> {
    // Nothing refers to a user without a standing. To erase an unknown id must not leave that id behind.
    if (!(await this.#supersedeKnownDecisions())) return
    const user = await findUser(this.#transaction, this.#userId)
    const live = await this.#liveChallenges()
    const queued = await this.#queuedNotices()

    const { events, ...changes } = User.erase(
      user ?? { userId: this.#userId },
      live,
      queued,
      this.#now,
      tellsAddress,
    )
    await this.#store({ ...changes, events: [] })
    const hadAddress = await this.#forget(user)
    if (user || hadAddress || live.length > 0) this.#events.push(...events)
  }

  /**
   * Increments the subject's version, and locks its row until the transaction ends. A decision that was made on the old
   * entry can then no longer be saved. Two changes of one user run one after the other. Returns when an entry of the user was
   * erased.
   */
  async #supersedeDecisions(): Promise<Date | undefined> {
    const [standing] = await this.#transaction.$queryRaw<{ readonly erasedAt: Date | null }[]>`
      INSERT INTO subject_standings (
        bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version
      )
      VALUES (${this.#bucket}::integer, ${this.#userId}, 0, 0, '{}', 1)
      ON CONFLICT (${this.#keyOf('subject_user_id')}) DO UPDATE SET version = subject_standings.version + 1
      RETURNING address_erased_at AS "erasedAt"`
    return standing?.erasedAt ?? undefined
  }

  /** The same, if there is a standing. Returns whether there is. */
  async #supersedeKnownDecisions(): Promise<boolean> {
    const superseded = await this.#transaction.$executeRaw`
      UPDATE subject_standings SET version = version + 1
      WHERE bucket = ${this.#bucket}::integer AND subject_user_id = ${this.#userId}`
    return superseded > 0
  }

  async #liveChallenges(): Promise<readonly Challenge[]> {
    const rows = await this.#transaction.$queryRaw<ChallengeRow[]>`
      SELECT ${Prisma.raw(CHALLENGE_COLUMNS)}
      FROM challenges c
      WHERE c.bucket = ${this.#bucket}::integer
        AND c.subject_user_id = ${this.#userId}
        AND c.status IN ('pending', 'verified')
        AND c.expires_at > ${this.#now}::timestamptz`
    return rows.map(challengeOf)
  }

  /** Locks the rows, because a deliverer may be about to record the outcome of one. */
  async #queuedNotices(): Promise<readonly QueuedLockNotice[]> {
    const rows = await this.#transaction.$queryRaw<LockNoticeRow[]>`
      SELECT ${Prisma.raw(LOCK_NOTICE_COLUMNS)}
      FROM lock_notices n
      JOIN challenges c ON c.bucket = n.bucket AND c.id = n.challenge_id
      WHERE n.bucket = ${this.#bucket}::integer AND c.subject_user_id = ${this.#userId} AND n.status = 'queued'
      FOR UPDATE OF n`
    return rows.map(queuedLockNoticeOf)
  }

  async #replaceEntry({ userId, email, locale, displayName, emailChangedAt }: User): Promise<void> {
    await this.#transaction.$executeRaw`
      INSERT INTO users (bucket, user_id, email, locale, display_name, email_changed_at, created_at, updated_at)
      VALUES (
        ${this.#bucket}::integer, ${userId}, ${email}, ${locale ?? null}, ${displayName ?? null},
        ${emailChangedAt ?? null}::timestamptz, ${this.#now}::timestamptz, ${this.#now}::timestamptz
      )
      ON CONFLICT (${this.#keyOf('user_id')}) DO UPDATE
      SET email = excluded.email, locale = excluded.locale, display_name = excluded.display_name,
          email_changed_at = excluded.email_changed_at, updated_at = excluded.updated_at`
  }

  /** Takes as many statements for thousands of challenges as for one, because other decisions about the user wait meanwhile. */
  async #store({ cancelled, withdrawn, notice, events }: UserDecision): Promise<void> {
    if (cancelled.length > 0) {
      await this.#transaction.$executeRaw`
        UPDATE challenges
        SET status = 'cancelled', cancelled_at = ${this.#now}::timestamptz, verified_at = NULL
        WHERE bucket = ${this.#bucket}::integer AND id = ANY (${cancelled.map(({ id }) => id)}::uuid[])`
    }
    for (const { id, status, failedAt, reason: failureReason } of withdrawn) {
      await this.#transaction.lockNotice.update({
        where: { id, bucket: this.#bucket },
        data: { status, nextAttemptAt: null, failedAt, failureReason },
      })
    }
    if (notice) {
      await this.#transaction.$executeRaw`
        WITH standing AS (SELECT) ${insertSecurityNotice('standing', { ...notice, clientId: this.#clientId })}`
    }
    this.#events.push(...events)
  }

  /**
   * Deletes the entry, and the address in every mail and suppression. A security notice that is queued loses it with its outcome.
   * One statement decides about each, so that a deliverer who records an outcome at the same moment leaves no address. Returns
   * whether an address was left, besides that of the entry.
   */
  async #forget(entry: User | undefined): Promise<boolean> {
    const [subjectUserId, bucket] = [this.#userId, this.#bucket]
    const notices = await this.#transaction.$executeRaw`
      UPDATE security_notices
      SET recipient_erased = true, recipient = CASE WHEN status = 'queued' THEN recipient ELSE ${ERASED_ADDRESS} END
      WHERE bucket = ${bucket}::integer AND subject_user_id = ${subjectUserId} AND recipient_erased IS NOT TRUE`
    await this.#transaction.user.deleteMany({ where: { bucket, userId: subjectUserId } })
    const codes = await this.#forgetRecipients('otp_issuances')
    const warnings = await this.#forgetRecipients('lock_notices')
    const suppressions = await this.#transaction.subjectStanding.updateMany({
      where: { bucket, subjectUserId, suppressionChangedAt: { not: null } },
      data: { suppressedAddress: null, suppressionReason: null, suppressionChangedAt: null },
    })
    if (entry) {
      await this.#transaction.subjectStanding.update({
        where: { subjectUserId, bucket },
        data: { addressErasedAt: this.#now },
      })
    }
    return notices + codes + warnings + suppressions.count > 0
  }

  /** The index on subject leads to the challenges, and their keys to the mails. */
  #forgetRecipients(mails: 'lock_notices' | 'otp_issuances'): Promise<number> {
    return this.#transaction.$executeRaw`
      UPDATE ${Prisma.raw(mails)} m
      SET recipient = ${ERASED_ADDRESS}
      FROM challenges c
      WHERE c.bucket = ${this.#bucket}::integer AND c.subject_user_id = ${this.#userId}
        AND m.bucket = ${this.#bucket}::integer AND m.challenge_id = c.id AND m.recipient <> ${ERASED_ADDRESS}`
  }

  /** The key of a table on several servers begins with the bucket. */
  #keyOf(column: 'subject_user_id' | 'user_id'): Prisma.Sql {
    return Prisma.raw(this.#sharding === 'citus' ? `bucket, ${column}` : column)
  }
}

async function findUser(
  prisma: Pick<Prisma.TransactionClient, 'user'>,
  userId: string,
): Promise<User | undefined> {
  const row = await prisma.user.findUnique({ where: { userId, bucket: bucketOf(userId) } })
  if (!row) return undefined
  const { email, locale, displayName, emailChangedAt } = row
  return {
    userId,
    email: email as EmailAddress,
    locale: locale ?? undefined,
    displayName: displayName ?? undefined,
    ...(emailChangedAt && { emailChangedAt }),
  }
}
