import type pg from 'pg'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { Slots } from '../connection/slots.ts'
import { Prisma } from '../generated/client.ts'
import type { Server } from './servers.ts'

/** A shard moves seldom. Until the next look, what belongs to its rows takes the long way over the old server. */
const LOOK_EVERY_MS = 10_000
/** A server that gave no session is asked again after this time. Until then its calls go over the coordinator. */
const AVOID_FOR_MS = 10_000

/**
 * Calls for one server that go over the coordinator at a time. If the server hangs, so do they, each in a session with the coordinator. The
 * other half of these sessions is for calls to other servers.
 */
const MOST_OVER_COORDINATOR = 5

/** Citus gives the coordinator this number. */
const COORDINATOR = 0

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
  SELECT array_agg(nodes[width_bucket(worker_hash(bucket), first_hashes)] ORDER BY bucket) AS nodes, cluster_id() AS cluster, (
    SELECT coalesce(json_agg(json_build_object('node', groupid, 'host', nodename, 'port', nodeport)), '[]')
    FROM pg_dist_node WHERE isactive AND noderole = 'primary'
  ) AS servers
  FROM shards, generate_series(0, 4095) AS bucket`

interface Places {
  readonly nodes: readonly number[] | null
  readonly cluster: string
  readonly servers: readonly (Omit<Server, 'cluster'> & { readonly node: number })[]
}

/** How the nodes are reached. */
export interface NodeConnections {
  /** Sends a statement to the coordinator. */
  readonly send: (statement: Prisma.Sql) => Promise<Places[]>
  /** The sessions with the coordinator. */
  readonly coordinator: pg.Pool
  /**
   * Sessions with a server. They fail if it is not of the cluster. Undefined if a pooler is in between: it
   * leads to the coordinator alone.
   */
  readonly connectTo: ((server: Server) => pg.Pool) | undefined
}

/**
 * On which server of a Citus each bucket is, and sessions with these servers. It knows after a moment, and looks again from time to time
 * while it is asked.
 */
export class Nodes {
  readonly #connections: NodeConnections
  readonly #lookEveryMs: number
  readonly #pools = new Map<string, pg.Pool>()
  readonly #slots = new Map<number, Slots>()
  readonly #avoidUntil = new Map<number, number>()
  readonly #overCoordinator = new Map<number, Slots>()
  #nodes: readonly number[] = []
  #servers = new Map<number, Server>()
  #lookAt = 0

  constructor(connections: NodeConnections, lookEveryMs = LOOK_EVERY_MS) {
    this.#connections = connections
    this.#lookEveryMs = lookEveryMs
  }

  /** The number of the server. Undefined while it is not known. */
  of(bucket: number): number | undefined {
    if (performance.now() >= this.#lookAt) {
      this.#lookAt = performance.now() + this.#lookEveryMs
      // Without an answer, what was known is good enough: each statement finds its rows on any server.
      this.#connections.send(PLACES).then(
        ([found]) => this.#note(found!),
        () => {},
      )
    }
    return this.#nodes[bucket]
  }

  /** For calls to the server, of whatever kind. There is one: a call costs more than what each of a group adds to it. */
  slotsOf(node: number): Slots {
    return slotsIn(this.#slots, node, 1)
  }

  /** A session with the server. Undefined if the server gives none: then nothing was sent. */
  async sessionWith(node: number): Promise<pg.PoolClient | undefined> {
    const pool = this.#poolOf(node)
    if (!pool) return undefined
    try {
      return await pool.connect()
    } catch {
      this.#avoidUntil.set(node, performance.now() + AVOID_FOR_MS)
      return undefined
    }
  }

  /** Sends a call for the server over the coordinator. @throws {StorageUnavailable} if too many are under way. */
  async overCoordinator<Result>(node: number, send: () => Promise<Result>): Promise<Result> {
    const slots = slotsIn(this.#overCoordinator, node, MOST_OVER_COORDINATOR)
    if (!slots.takeNow()) throw new StorageUnavailable('no session with the server')
    try {
      return await send()
    } finally {
      slots.free()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.values().map((pool) => pool.end()))
  }

  #note({ nodes, cluster, servers }: Places): void {
    this.#nodes = nodes ?? []
    this.#servers = new Map(servers.map(({ node, ...server }) => [node, { ...server, cluster }]))
  }

  #poolOf(node: number): pg.Pool | undefined {
    if (node === COORDINATOR) return this.#connections.coordinator
    const server = this.#servers.get(node)
    const { connectTo } = this.#connections
    if (!server || !connectTo || performance.now() < (this.#avoidUntil.get(node) ?? 0)) return undefined
    const at = `${server.host}:${server.port}`
    const pool = this.#pools.get(at) ?? connectTo(server)
    this.#pools.set(at, pool)
    return pool
  }
}

function slotsIn(all: Map<number, Slots>, node: number, most: number): Slots {
  const slots = all.get(node) ?? new Slots(most)
  all.set(node, slots)
  return slots
}
