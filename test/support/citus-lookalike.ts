import { readFile } from 'node:fs/promises'
import { SUBJECT_TABLES } from './bucket-look-ups.ts'
import { createTestDatabase, query, type TestDatabase } from './database.ts'

/** Those that are spread alike. */
const SPREAD = [...SUBJECT_TABLES, 'idempotency_keys', 'mailbox_issuances']
/** Buckets from here on are in a shard of another server. */
export const ELSEWHERE_FROM = 2048

/** What `deploy/citus` calls of Citus. Here it has no effect, so that one PostgreSQL has all tables, keys and functions of a cluster. */
const CALLS_OF_CITUS = `
  SET allow_system_table_mods = on;
  CREATE TABLE pg_dist_partition (logicalrelid regclass, colocationid integer);
  CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text);
  CREATE TABLE pg_dist_placement (shardid bigint, groupid integer);
  CREATE TABLE pg_dist_local_group (groupid integer);
  CREATE TABLE pg_dist_node (groupid integer, nodename text, nodeport integer, isactive boolean, noderole text,
    shouldhaveshards boolean, nodeid serial);
  INSERT INTO pg_dist_local_group VALUES (0);
  CREATE FUNCTION pg_catalog.worker_hash(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION pg_catalog.lock_shard_metadata(integer, bigint[]) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_reference_table(text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_table(text, text, colocate_with text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_function(regprocedure, text = '', colocate_with text = '') RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION pg_catalog.get_shard_id_for_distribution_column(regclass, integer) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';`

/** Each table has a shard on this server, which is all of it, and one on another server. */
const SHARDS = [
  ...SPREAD.map(
    (table, n) => `
      INSERT INTO pg_dist_partition VALUES ('${table}', 1);
      INSERT INTO pg_dist_shard VALUES ('${table}', ${100 + n}, '0'), ('${table}', ${200 + n}, '${ELSEWHERE_FROM}');
      INSERT INTO pg_dist_placement VALUES (${100 + n}, 0), (${200 + n}, 1);
      CREATE VIEW ${table}_${100 + n} AS SELECT * FROM ${table};`,
  ),
  `INSERT INTO pg_dist_partition VALUES ('webhook_endpoints', 2);
   INSERT INTO pg_dist_shard VALUES ('webhook_endpoints', 300, NULL);
   CREATE VIEW webhook_endpoints_300 AS SELECT * FROM webhook_endpoints;`,
]

/**
 * A database in which the service runs as it does on Citus, without Citus. It is on one server: what its plans say there counts. Half of the
 * buckets are in a shard that is here, and calls about them take its copies of the functions. The others take those for any server.
 */
export async function createCitusLookalike(): Promise<TestDatabase> {
  const { url } = await createTestDatabase()
  const [distribute, ...functions] = await Promise.all(
    ['distribute.sql', 'functions.sql', 'decisions.sql', 'shards.sql'].map(citusFile),
  )
  await query(url, CALLS_OF_CITUS, distribute!, ...SHARDS, ...functions)
  return { url, sharding: 'citus' }
}

/** The text of a file of `deploy/citus`. */
export function citusFile(file: string): Promise<string> {
  return readFile(new URL(`../../deploy/citus/${file}`, import.meta.url), 'utf8')
}
