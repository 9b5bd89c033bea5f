import pg from 'pg'
import { CheckResult } from '../../../contracts/diagnostic-check.ts'
import { DELEGATED_FUNCTIONS } from '../sharding/delegated-functions.ts'
import { assertOfCluster, type Server, urlOnServer } from '../sharding/servers.ts'
import { connectionFailure } from './connection-failure.ts'
import { DATABASE_REMEDIES as REMEDIES } from './database-remedies.ts'
import type { Sharding } from './sharding.ts'

const SHARDING = 'database-sharding'
const SERVERS = 'database-servers'
const CONNECT_TIMEOUT_IN_MS = 3000

/** Yields nothing if the tables are on one server, as the configuration says. */
export async function* checkSharding(
  pool: pg.Pool,
  url: string,
  sharding: Sharding,
): AsyncGenerator<CheckResult> {
  const { rows } = await pool.query<{ spread: boolean; missing: string[] }>(
    `SELECT to_regclass('idempotency_keys') IS NOT NULL AS spread,
       array(SELECT called FROM unnest($1::text[]) AS called WHERE to_regprocedure(called) IS NULL) AS missing`,
    [DELEGATED_FUNCTIONS],
  )
  const { spread, missing } = rows[0]!
  if (sharding === 'none') {
    if (spread) {
      const found = 'Citus spreads the tables over several servers, and DATABASE_SHARDING is none'
      yield CheckResult.failed(SHARDING, found, REMEDIES.sharded)
    }
    return
  }
  if (!spread) {
    const found = 'DATABASE_SHARDING is citus, and the tables are on one server'
    yield CheckResult.failed(SHARDING, found, REMEDIES.unsharded)
  } else if (missing.length > 0) {
    yield CheckResult.failed(SHARDING, `the functions ${missing.join(', ')} are missing`, REMEDIES.functions)
  } else {
    yield (await checkShards(pool)) ??
      CheckResult.ok(
        SHARDING,
        'Citus spreads the tables over several servers, and has the functions for that',
      )
    yield* checkServers(pool, url)
  }
}

async function checkShards(pool: pg.Pool): Promise<CheckResult | undefined> {
  const { rows } = await pool.query<{ bare: number }>(
    `SELECT count(*)::integer AS bare FROM pg_dist_shard
     WHERE logicalrelid = 'challenges'::regclass AND to_regproc('save_decisions_on_' || shardid) IS NULL`,
  )
  const { bare } = rows[0]!
  if (bare === 0) return undefined
  const found = `shards without functions of their own: ${bare}; calls about their users take several times the work`
  return CheckResult.warning(SHARDING, found, REMEDIES.copies)
}

/** A process has sessions with each server of the tables. Without one, its calls go over the coordinator. */
async function* checkServers(pool: pg.Pool, url: string): AsyncGenerator<CheckResult> {
  const { rows: servers } = await pool.query<Server>(
    `SELECT nodename AS host, nodeport AS port, cluster_id() AS cluster FROM pg_dist_node
     WHERE isactive AND noderole = 'primary' AND groupid <> 0 AND shouldhaveshards ORDER BY nodeid`,
  )
  const found = await Promise.all(
    servers.map(async (server) => ({ ...server, ...(await lookAt(server, url)) })),
  )
  const away = found.filter(({ problem }) => problem !== undefined)
  const open = found.filter(({ isOpen }) => isOpen)
  if (away.length > 0) {
    const each = away.map(({ host, port, problem }) => `${host}:${port} ${problem}`).join(', ')
    const calls = 'calls about the users of these servers go over the coordinator, which takes more work'
    yield CheckResult.warning(SERVERS, `${each}; ${calls}`, REMEDIES.servers)
  }
  if (open.length > 0) {
    const each = open.map(({ host, port }) => `${host}:${port}`).join(', ')
    const what = 'everybody may run functions with the rights of their owner'
    yield CheckResult.failed(SERVERS, `on ${each}, ${what}`, REMEDIES.rightsOfServers)
  }
  if (servers.length === 0) return
  if (away.length + open.length === 0) {
    const all = `${servers.length} of ${servers.length} servers`
    yield CheckResult.ok(SERVERS, `${all} take sessions from here`)
  }
  yield* checkStatementOverAll(pool)
}

/** Citus connects from one server to the other as the role of the session, so each of them needs the password of that role. */
async function* checkStatementOverAll(pool: pg.Pool): AsyncGenerator<CheckResult> {
  try {
    await pool.query('SELECT FROM idempotency_keys LIMIT 1')
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'no code'
    yield CheckResult.failed(
      SERVERS,
      `a statement over all servers fails (${code}), as each search for due mails would`,
      REMEDIES.betweenServers,
    )
  }
}

/** Functions with the rights of their owner that everybody may run. Citus creates a function on another server with this right. */
const OPEN_TO_EVERYBODY = `SELECT EXISTS (
  SELECT FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS granted
  WHERE pronamespace = 'public'::regnamespace AND prosecdef AND granted.grantee = 0
) AS open`

async function lookAt(
  server: Server,
  url: string,
): Promise<{ readonly problem?: string; readonly isOpen?: boolean }> {
  const connectionString = urlOnServer(server, url)
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_IN_MS })
  client.on('error', () => {})
  try {
    await client.connect()
    await assertOfCluster(client, server.cluster)
    const { rows } = await client.query<{ open: boolean }>(OPEN_TO_EVERYBODY)
    return { isOpen: rows[0]!.open }
  } catch (error) {
    return { problem: connectionFailure(error).problem }
  } finally {
    await client.end().catch(() => {})
  }
}
