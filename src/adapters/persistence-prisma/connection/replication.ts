import type pg from 'pg'
import { CheckResult } from '../../../contracts/diagnostic-check.ts'
import { DATABASE_REMEDIES as REMEDIES } from './database-remedies.ts'

/** A synchronous standby behind by this much makes every decision wait. */
const NOTABLE_LAG_IN_BYTES = 16 * 1024 * 1024

const WRITES = 'database-writes'

interface Replication {
  readonly standby: boolean
  readonly readOnly: boolean
  /** Where `default_transaction_read_only` comes from, as `pg_settings` has it. */
  readonly source: string
  readonly role: string
  readonly database: string
  readonly commit: string
  /** The standbys that `synchronous_standby_names` asks for. */
  readonly wanted: string
  /** Any role sees how many standbys are attached. The rest needs `pg_read_all_stats`, and is null without it. */
  readonly attached: number
  readonly visible: boolean
  readonly synchronous: number | null
  readonly lag: number | null
}

/**
 * Says whether this server takes decisions, and whether they survive it. Nothing is worth a result if there is no replication: a
 * single server keeps what it answered.
 */
export async function* replicationResult(client: pg.PoolClient): AsyncGenerator<CheckResult> {
  const found = await replicationOf(client)
  if (found.standby) {
    yield CheckResult.failed(WRITES, 'the server is a standby, which takes no decisions', REMEDIES.standby)
  } else if (found.readOnly) {
    yield CheckResult.failed(
      WRITES,
      'the database is read-only, by default_transaction_read_only',
      REMEDIES.readOnly(found),
    )
  } else if (found.attached > 0 || found.wanted !== '') {
    yield ofPrimary(found)
  }
}

async function replicationOf(client: pg.PoolClient): Promise<Replication> {
  const { rows } = await client.query<Replication>(
    `SELECT pg_is_in_recovery() AS standby,
       current_setting('transaction_read_only')::boolean AS "readOnly",
       (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS source,
       quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
       current_setting('synchronous_commit') AS commit,
       current_setting('synchronous_standby_names') AS wanted,
       count(pid)::integer AS attached, count(state) > 0 AS visible,
       CASE WHEN count(state) > 0 THEN count(*) FILTER (WHERE sync_state IN ('sync', 'quorum'))::integer END AS synchronous,
       min(pg_wal_lsn_diff(CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END, flush_lsn))
         FILTER (WHERE sync_state IN ('sync', 'quorum'))::float AS lag
     FROM pg_stat_replication`,
  )
  return rows[0]!
}

function ofPrimary({ role, commit, wanted, attached, visible, synchronous, lag }: Replication): CheckResult {
  const name = 'replication'
  const standbys = attached === 1 ? 'one standby is attached' : `${attached || 'no'} standbys are attached`
  if (wanted === '') {
    return CheckResult.warning(
      name,
      `${standbys}, and decisions do not wait for one: if it takes over, decisions that were answered may be missing`,
      REMEDIES.asynchronous,
    )
  }
  if (commit === 'off' || commit === 'local') {
    return CheckResult.warning(
      name,
      `synchronous_commit is ${commit}, so decisions do not wait for the standbys that synchronous_standby_names asks for`,
      REMEDIES.localCommit(role),
    )
  }
  if (attached === 0 || synchronous === 0) {
    return CheckResult.failed(
      name,
      `${standbys}, and none is synchronous: every decision waits for one, and fails`,
      REMEDIES.missingStandby,
    )
  }
  if (lag !== null && lag > NOTABLE_LAG_IN_BYTES) {
    return CheckResult.warning(
      name,
      `${standbys}, and decisions wait for one that is ${Math.round(lag / 1024 / 1024)} MiB behind`,
      REMEDIES.laggingStandby,
    )
  }
  const known = visible ? '' : '; which of them are synchronous, only a role with pg_read_all_stats sees'
  return CheckResult.ok(name, `${standbys}, and each decision waits for a synchronous one${known}`)
}
