import pg from 'pg'
import { type Execution, executionsIn, type Ranges, routeOf, whyNotOneTask } from './remote-commands.ts'

/** A statement whose route is known, and what the reader said about it. */
interface Control {
  readonly what: string
  readonly expected: RegExp
  readonly verdict: string
}

const ONE_TASK = 'one task on one node'

/** Lets the reader judge statements that are one task, and others that are not. A reader that sees no difference proves nothing. */
export async function controls(
  url: string,
  ranges: Ranges,
  statementsSeen: string,
  watch: string,
): Promise<Control[]> {
  process.env.STATEMENTS_SEEN = statementsSeen
  await import(watch)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { here, beside, elsewhere } = await bucketsOn(client)
    await client.query(`
      CREATE FUNCTION touch_two(of_bucket integer, other integer) RETURNS integer LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE users SET locale = NULL WHERE bucket = of_bucket;
        UPDATE users SET locale = NULL WHERE bucket = other;
        RETURN 1;
      END $$`)
    await client.query(
      `SELECT create_distributed_function('touch_two(integer, integer)', 'of_bucket', colocate_with := 'users')`,
    )
    const verdictOf = async (what: string, text: string, expected: RegExp): Promise<Control> => {
      await client.query(`/* control */ ${text}`)
      const judged = whyNotOneTask(routeOf(await lastControl(statementsSeen), ranges))
      return { what, expected, verdict: judged ?? ONE_TASK }
    }
    return [
      await verdictOf(
        'a statement with its bucket',
        `SELECT * FROM users WHERE bucket = ${here}`,
        /^one task/,
      ),
      await verdictOf('a function with one bucket', `SELECT touch_two(${here}, ${here})`, /^one task/),
      await verdictOf('a statement without a bucket', 'SELECT * FROM users', /^\d+ tasks on \d+ nodes/),
      await verdictOf(
        'a function that goes on to another worker',
        `SELECT touch_two(${here}, ${elsewhere})`,
        /from one worker on/,
      ),
      await verdictOf(
        'a function with two buckets of one node',
        `SELECT touch_two(${here}, ${beside})`,
        /by chance/,
      ),
    ]
  } finally {
    await client.end()
  }
}

/** Two buckets of one node in different shards, and one of another node. */
async function bucketsOn(client: pg.Client) {
  const { rows } = await client.query<{ bucket: number; shard: string; node: number }>(`
    SELECT bucket, shardid AS shard, groupid AS node
    FROM generate_series(0, 4095) AS bucket,
      LATERAL get_shard_id_for_distribution_column('users', bucket) AS shardid
    JOIN pg_dist_placement USING (shardid) ORDER BY bucket`)
  const [first] = rows as [(typeof rows)[number]]
  const beside = rows.find(({ shard, node }) => node === first.node && shard !== first.shard)
  const elsewhere = rows.find(({ node }) => node !== first.node)
  if (!beside || !elsewhere) throw new Error('The proof needs two nodes with two shards each')
  return { here: first.bucket, beside: beside.bucket, elsewhere: elsewhere.bucket }
}

async function lastControl(folder: string): Promise<Execution> {
  const all = await Array.fromAsync(executionsIn(folder))
  return all.filter(({ text }) => text.startsWith('/* control */')).at(-1)!
}
