import { Prisma } from '../generated/client.ts'

/** A shard moves seldom. Until the next look, what belongs to its rows takes the long way over the old server. */
const LOOK_EVERY_MS = 10_000

const PLACES = Prisma.sql`/* nodes.find */
  SELECT array_agg(p.groupid ORDER BY b) AS nodes
  FROM generate_series(0, 4095) AS b
  JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column('challenges', b)`

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
