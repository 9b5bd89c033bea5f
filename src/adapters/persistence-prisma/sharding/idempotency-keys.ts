import { bucketOf } from '../../../domain/bucket.ts'
import type { Idempotency, PendingChallenge } from '../../../domain/challenge.ts'
import type { Statements } from '../connection/statements.ts'
import { type DelegatedInputs, GroupsByNode } from './groups.ts'
import type { Nodes } from './nodes.ts'

/** The place is the client and its key. Its bucket is that of a subject with this id. */
export const KEY = 'n integer, bucket integer, place text, challenge_id uuid, fingerprint text'

/** What the first call with a key has reserved. */
export interface Reservation {
  readonly challengeId: string
  readonly fingerprint: string
}

interface Reserving {
  readonly place: string
  readonly challengeId: string
  readonly fingerprint: string
}

interface ReservedRow {
  readonly reserved_for: string
  readonly of_fingerprint: string
}

const RESERVING: DelegatedInputs<Reserving> = {
  name: 'idempotency-keys.reserve',
  columns: ({ place, challengeId, fingerprint }) => ({
    bucket: bucketOf(place),
    place,
    challenge_id: challengeId,
    fingerprint,
  }),
  // A call that waits for another one with its key holds up no call with another key.
  key: ({ place }) => place,
  sharded: { called: 'reserve_keys', bucket: ({ place }) => bucketOf(place) },
}

/**
 * The idempotency keys of all clients, in a table that is spread by the key: a key leads to a subject, and not the other way. A challenge
 * is stored after its key is reserved, by another statement. If the process ends in between, the next call with the key stores it.
 */
export class IdempotencyKeys {
  readonly #reserves: GroupsByNode<Reserving, ReservedRow>

  constructor(statements: Statements, nodes: Nodes) {
    this.#reserves = new GroupsByNode(statements, nodes, RESERVING)
  }

  /** Reserves the key, or returns the reservation of an earlier call. */
  async reserve(
    challenge: Pick<PendingChallenge, 'id' | 'clientId'>,
    { key, fingerprint }: Idempotency,
  ): Promise<Reservation> {
    // Neither a client nor a key has a control character.
    const place = `${challenge.clientId}\u001f${key}`
    const [reserved] = await this.#reserves.query({ place, challengeId: challenge.id, fingerprint })
    const { reserved_for: challengeId, of_fingerprint: first } = reserved!
    return { challengeId, fingerprint: first }
  }
}
