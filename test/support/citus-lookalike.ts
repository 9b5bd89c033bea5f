import { readFile } from 'node:fs/promises'
import { createTestDatabase, query, type TestDatabase } from './database.ts'

/** What `deploy/citus` calls of Citus. Here it has no effect, so that one PostgreSQL has all tables, keys and functions of a cluster. */
const CALLS_OF_CITUS = `
  CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text);
  CREATE TABLE pg_dist_placement (shardid bigint, groupid integer);
  CREATE FUNCTION worker_hash(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION create_reference_table(text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_table(text, text, colocate_with text) RETURNS void LANGUAGE sql AS '';
  CREATE FUNCTION create_distributed_function(text, text, colocate_with text) RETURNS void LANGUAGE sql AS '';`

const ONE_SHARD = `INSERT INTO pg_dist_shard VALUES ('challenges', 1, '0'); INSERT INTO pg_dist_placement VALUES (1, 1)`

/** A database in which the service runs as it does on Citus, without Citus. It is on one server: what its plans say there counts. */
export async function createCitusLookalike(): Promise<TestDatabase> {
  const { url } = await createTestDatabase()
  const files = await Promise.all(
    ['distribute.sql', 'functions.sql', 'decisions.sql'].map((file) =>
      readFile(new URL(`../../deploy/citus/${file}`, import.meta.url), 'utf8'),
    ),
  )
  await query(url, CALLS_OF_CITUS, ...files, ONE_SHARD)
  return { url, sharding: 'citus' }
}
