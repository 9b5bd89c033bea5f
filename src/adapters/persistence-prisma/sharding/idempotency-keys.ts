import type { Idempotency, PendingChallenge } from '../../../domain/challenge.ts'
import type { Statements } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'

/** What the first call with a key has reserved. */
export interface Reservation {
  readonly challengeId: string
  readonly fingerprint: string
}

/**
 * The idempotency keys of all clients, in a table that is spread by the key: a key leads to a subject, and not the other way. A challenge
 * is stored after its key is reserved, by another statement. If the process ends in between, the next call with the key stores it.
 */
export class IdempotencyKeys {
  readonly #statements: Pick<Statements, 'query'>

  constructor(statements: Pick<Statements, 'query'>) {
    this.#statements = statements
  }

  /** Reserves the key, or returns the reservation of an earlier call. */
  async reserve(
    challenge: Pick<PendingChallenge, 'id' | 'clientId'>,
    idempotency: Idempotency,
  ): Promise<Reservation> {
    const { id, clientId } = challenge
    const { key, fingerprint } = idempotency
    // Neither a client nor a key has a control character.
    const place = `${clientId}\u001f${key}`
    const reserved = await this.#statements.query(Prisma.sql`/* idempotency-keys.reserve */
      INSERT INTO idempotency_keys (place, challenge_id, fingerprint)
      VALUES (${place}, ${id}::uuid, ${fingerprint})
      ON CONFLICT DO NOTHING
      RETURNING place`)
    if (reserved.length > 0) return { challengeId: id, fingerprint }
    const [earlier] = await this.#statements.query<Reservation>(Prisma.sql`/* idempotency-keys.find */
      SELECT challenge_id AS "challengeId", fingerprint FROM idempotency_keys WHERE place = ${place}`)
    // The purge has just removed it.
    return earlier ?? this.reserve(challenge, idempotency)
  }
}
