import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { SignedAnchor, TrailAnchor, TrailAnchors } from '../../../application/ports/trail-anchors.ts'
import { type Sharding, shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'
import type { TrailAnchorModel } from '../generated/models.ts'

/** Rows that one statement hashes: a matter of tens of milliseconds. */
const BATCH_SIZE = 5000
/** As long as a statement may take. The next run tries again. */
const PATIENCE_IN_MS = 5000
const POLL_EVERY_MS = 250
/** An event is drawn at the end of its transaction, and a statement takes 5 s at most. */
const SETTLED_AFTER_MS = 120_000

/** Keeps anchors in `trail_anchors`. */
export class PrismaTrailAnchors implements TrailAnchors {
  readonly #prisma: PrismaClient
  readonly #patienceInMs: number
  readonly #sharding: Sharding

  constructor(prisma: PrismaClient, patienceInMs = PATIENCE_IN_MS) {
    this.#sharding = shardingOf(prisma)
    this.#prisma = prisma
    this.#patienceInMs = patienceInMs
  }

  async newest(): Promise<(SignedAnchor & { readonly isOfThisHour: boolean }) | undefined> {
    const [row] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ number: number; isOfThisHour: boolean }[]>`
        SELECT number, hour = date_trunc('hour', now()) AS "isOfThisHour"
        FROM trail_anchors ORDER BY number DESC LIMIT 1`,
    )
    if (!row) return undefined
    const anchor = await translateStorageErrors(
      this.#prisma.trailAnchor.findUniqueOrThrow({ where: { number: row.number } }),
    )
    return { ...anchorOf(anchor), isOfThisHour: row.isOfThisHour }
  }

  /**
   * An id is drawn before its transaction commits. So this waits until all transactions that were under way when it looked have
   * ended. Those that begin later draw higher ids.
   *
   * Nobody sees the transactions of several servers at once. Their ids follow the clock, so there it is enough that an id is old.
   */
  async settledEnd(signal?: AbortSignal): Promise<number | undefined> {
    if (this.#sharding === 'citus') return this.#oldEnd()
    const [end] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ id: bigint; begun: string }[]>`
        SELECT coalesce((SELECT max(id) FROM challenge_events), 0) AS "id",
          pg_snapshot_xmax(pg_current_snapshot())::text AS "begun"`,
    )
    const giveUpAt = performance.now() + this.#patienceInMs
    for (;;) {
      const [look] = await translateStorageErrors(
        this.#prisma.$queryRaw<{ over: boolean }[]>`
          SELECT pg_snapshot_xmin(pg_current_snapshot()) >= ${end!.begun}::text::xid8 AS "over"`,
      )
      if (look!.over) return Number(end!.id)
      if (performance.now() >= giveUpAt) return undefined
      await wait(POLL_EVERY_MS, undefined, { signal })
    }
  }

  /** The id has its milliseconds since 2020 in front of 13 other bits (`chain_challenge_event` in deploy/citus/functions.sql). */
  async #oldEnd(): Promise<number> {
    const [end] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ id: bigint }[]>`
        SELECT coalesce(max(id), 0) AS "id"
        FROM challenge_events
        WHERE id < ((extract(epoch FROM now()) * 1000)::bigint - 1577836800000 - ${SETTLED_AFTER_MS}::bigint) << 13`,
    )
    return Number(end!.id)
  }

  async digestOf(
    firstId: number,
    lastId: number,
    signal?: AbortSignal,
  ): Promise<Pick<TrailAnchor, 'events' | 'digest'>> {
    const digest = createHash('sha256')
    let events = 0
    for (let from = firstId; from <= lastId; ) {
      signal?.throwIfAborted()
      const [batch] = await translateStorageErrors(
        this.#prisma.$queryRaw<{ hashes: Uint8Array | null; events: number; last: bigint | null }[]>`
          SELECT string_agg(sha256(previous_hash || int8send(position) || convert_to(json_build_array(
              subject_user_id, challenge_id, type, (extract(epoch FROM occurred_at) * 1000)::bigint,
              (extract(epoch FROM recorded_at) * 1000)::bigint, actor, request_id, remote_address, details
            )::text, 'UTF8')), ''::bytea ORDER BY id) AS "hashes",
            count(previous_hash)::integer AS "events", max(id) AS "last"
          FROM (
            SELECT * FROM challenge_events
            WHERE id BETWEEN ${from}::bigint AND ${lastId}::bigint ORDER BY id LIMIT ${BATCH_SIZE}::integer
          ) AS batch`,
      )
      if (!batch || batch.last === null) break
      if (batch.hashes) digest.update(batch.hashes)
      events += batch.events
      from = Number(batch.last) + 1
    }
    return { events, digest: digest.digest('base64url') }
  }

  async store(anchor: SignedAnchor): Promise<boolean> {
    const { number, firstId, lastId, events, digest, previous, signedAt, keyId, signature } = anchor
    const stored = await translateStorageErrors(
      this.#prisma.$queryRaw<object[]>`
        INSERT INTO trail_anchors (
          number, hour, first_id, last_id, events, digest, previous, signed_at, key_id, signature
        )
        VALUES (
          ${number}::integer, date_trunc('hour', now()), ${firstId}::bigint, ${lastId}::bigint, ${events}::integer,
          ${digest}, ${previous}, ${signedAt}::timestamptz, ${keyId}, ${signature}
        )
        ON CONFLICT DO NOTHING
        RETURNING number`,
    )
    return stored.length === 1
  }
}

function anchorOf({ hour: _, firstId, lastId, ...anchor }: TrailAnchorModel): SignedAnchor {
  return { ...anchor, firstId: Number(firstId), lastId: Number(lastId) }
}
