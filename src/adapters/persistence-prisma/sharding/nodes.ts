import { Prisma } from '../generated/client.ts'

/** A shard moves seldom. Until the next look, what belongs to its rows takes the long way over the old server. */
const LOOK_EVERY_MS = 10_000

/** Citus hashes the bucket, and each shard has a range of hashes. To ask Citus for the shard of each bucket takes it a second. */
const PLACES = Prisma.sql`/* nodes.find */
  WITH shard AS MATERIALIZED (
    SELECT s.shardminvalue::integer AS first_hash, min(p.groupid) AS node
    FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid
    WHERE s.logicalrelid = 'challenges'::regclass
    GROUP BY s.shardminvalue
  ), shards AS MATERIALIZED (
    SELECT array_agg(first_hash ORDER BY first_hash) AS first_hashes, array_agg(node ORDER BY first_hash) AS nodes FROM shard
  )
  SELECT array_agg(nodes[width_bucket(worker_hash(bucket), first_hashes)] ORDER BY bucket) AS nodes
  FROM shards, generate_series(0, 4095) AS bucket`

type Send = (statement: Prisma.Sql) => Promise<{ readonly nodes: readonly number[] | null }[]>

/** On which server of a Citus each bucket is. It knows after a moment, and looks again from time to time while it is asked. */
export class Nodes {
  readonly #send: Send
  readonly #lookEveryMs: number
  #nodes: readonly number[] = []
  #lookAt = 0

  constructor(send: Send, lookEveryMs = LOOK_EVERY_MS) {
    this.#send = send
    this.#lookEveryMs = lookEveryMs
  }

  /** The number of the server. Undefined while it is not known. */
  of(bucket: number): number | undefined {
    if (performance.now() >= this.#lookAt) {
      this.#lookAt = performance.now() + this.#lookEveryMs
      // Without an answer, what was known is good enough: each statement finds its rows on any server.
      this.#send(PLACES).then(
        ([found]) => {
          this.#nodes = found?.nodes ?? []
        },
        () => {},
      )
    }
    return this.#nodes[bucket]
  }
}
