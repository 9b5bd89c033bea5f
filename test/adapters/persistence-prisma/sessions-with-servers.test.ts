import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { DatabaseCheck } from '../../../src/adapters/persistence-prisma/connection/database-check.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { bucketOf } from '../../../src/domain/bucket.ts'
import { opened } from '../../contracts/stores.ts'
import { resultsOf } from '../../support/check-results.ts'
import { citusFile, createCitusLookalike, ELSEWHERE_FROM } from '../../support/citus-lookalike.ts'
import { query, serverUrl } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'
import { connectWatched } from '../../support/watched-prisma.ts'

/* The lookalike has half of the buckets on another server, and here each test says where that one is. All connections are watched: serial. */

const USERS = Array.from({ length: 100 }, (_, n) => `user-${n}`)
const THERE = USERS.find((id) => bucketOf(id) >= ELSEWHERE_FROM)!
const HERE = USERS.find((id) => bucketOf(id) < ELSEWHERE_FROM)!

async function cluster({ hostname, port }: { readonly hostname: string; readonly port: string | number }) {
  const database = await createCitusLookalike()
  await query(
    database.url,
    `INSERT INTO pg_dist_node VALUES (1, '${hostname}', ${port}, true, 'primary', true)`,
  )
  return database
}

/** Stores that know where the buckets are. */
async function storesOn(t: ExecutionContext, database: Awaited<ReturnType<typeof cluster>>) {
  const connections = connectWatched(database)
  t.teardown(() => connections.close())
  const { statements, arrived } = connections
  while (statements.nodes!.of(ELSEWHERE_FROM) === undefined) await wait(5)
  const stepUps = new PrismaStepUps(statements, SEALS)
  /** Loads a challenge of the user, and says which loads arrived at a database. */
  const loadsOf = async (userId: string) => {
    const { id } = await opened({ stepUps }, userId)
    const loaded = await stepUps.load(id)
    t.is(loaded?.challenge.id, id)
    return arrived.map(({ from }) => from).filter((name) => name.startsWith('step-ups.load'))
  }
  return { loadsOf }
}

/** A port where nobody answers. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test.serial('a call goes to the server of its rows, by a session of its own', async (t) => {
  const { loadsOf } = await storesOn(t, await cluster(new URL(serverUrl())))

  t.deepEqual(await loadsOf(THERE), ['step-ups.load-here'])
})

test.serial('a call about rows of the coordinator needs no other session', async (t) => {
  const { loadsOf } = await storesOn(t, await cluster({ hostname: '127.0.0.1', port: await closedPort() }))

  t.deepEqual(await loadsOf(HERE), ['step-ups.load-here'])
})

test.serial('while a server takes no session, calls about its rows go over the coordinator', async (t) => {
  const { loadsOf } = await storesOn(t, await cluster({ hostname: '127.0.0.1', port: await closedPort() }))

  t.deepEqual(await loadsOf(THERE), ['step-ups.load'])
})

test.serial('a server of another cluster gets no call', async (t) => {
  const database = await cluster(new URL(serverUrl()))
  const { loadsOf } = await storesOn(t, database)
  // From now on, who answers there belongs to another one.
  await query(
    database.url,
    `CREATE OR REPLACE FUNCTION cluster_id() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'`,
  )

  t.deepEqual(await loadsOf(THERE), ['step-ups.load'])
})

/** What doctor says about the servers. */
async function foundAbout(url: string): Promise<string[]> {
  const check = new DatabaseCheck({ url, production: false, sharding: 'citus' }, { now: () => new Date() })
  return (await resultsOf(check))
    .filter(({ name }) => /^database-s/.test(name))
    .map(({ name, level, found }) => `${name} ${level}: ${found}`)
}

test.serial('doctor says which servers take no session, and which shards have no functions', async (t) => {
  const port = await closedPort()
  const { url } = await cluster({ hostname: '127.0.0.1', port })

  const before = await foundAbout(url)
  await query(
    url,
    `INSERT INTO pg_dist_shard VALUES ('challenges', 999, '3000')`,
    `UPDATE pg_dist_node SET nodeport = ${new URL(serverUrl()).port}, nodename = '${new URL(serverUrl()).hostname}'`,
  )

  t.deepEqual(before, [
    'database-sharding ok: Citus spreads the tables over several servers, and has the functions for that',
    `database-servers warning: 127.0.0.1:${port} refuses connections (ECONNREFUSED); calls about the users of these servers go over the coordinator, which takes more work`,
  ])
  t.deepEqual(await foundAbout(url), [
    'database-sharding warning: shards without functions of their own: 1; calls about their users take several times the work',
    'database-servers ok: 1 of 1 servers take sessions from here',
  ])
})

test.serial('doctor says that the coordinator can pass no statement on to another server', async (t) => {
  const { url } = await cluster(new URL(serverUrl()))
  await query(
    url,
    `CREATE FUNCTION refuse() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
     BEGIN RAISE EXCEPTION 'no password supplied' USING ERRCODE = 'connection_failure'; END $$`,
    'ALTER TABLE idempotency_keys RENAME TO keys_of_all',
    'CREATE VIEW idempotency_keys AS SELECT * FROM keys_of_all WHERE refuse()',
  )

  t.is(
    (await foundAbout(url)).at(-1),
    'database-servers failed: a statement over all servers fails (08006), as each search for due mails would',
  )
})

test.serial('doctor says on which server everybody may run functions as their owner', async (t) => {
  const { hostname, port } = new URL(serverUrl())
  const { url } = await cluster({ hostname, port })
  await query(url, 'GRANT EXECUTE ON FUNCTION chain_challenge_event() TO PUBLIC')

  t.is(
    (await foundAbout(url)).at(-1),
    `database-servers failed: on ${hostname}:${port}, everybody may run functions with the rights of their owner`,
  )
})

test.serial(
  'grants.sql takes each function with the rights of its owner from everybody, on all servers',
  async (t) => {
    const { url } = await createCitusLookalike()
    const found = await query(
      url,
      `SELECT format('%s(%s)', proname, oidvectortypes(proargtypes)) AS signature FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1`,
    )
    const revoked = [
      ...(await citusFile('grants.sql')).matchAll(/^REVOKE ALL ON FUNCTION (.*) FROM PUBLIC;$/gm),
    ]

    t.deepEqual(
      revoked.map(([, signature]) => signature!).sort(),
      found.map((row) => (row as { signature: string }).signature),
    )
  },
)

test.serial(
  'after a shard was split, another run of shards.sql gives the new shards their functions',
  async (t) => {
    const { url } = await createCitusLookalike()
    const copies = async () =>
      (
        await query(
          url,
          `SELECT proname AS name FROM pg_proc WHERE proname ~ '^save_decisions_on_' ORDER BY proname`,
        )
      ).map((row) => (row as { name: string }).name)
    const before = await copies()
    await query(url, 'UPDATE pg_dist_shard SET shardid = shardid + 500', await citusFile('shards.sql'))

    t.is(before.length, 2)
    t.deepEqual(
      await copies(),
      before.map((name) => name.replace(/\d+$/, (id) => String(Number(id) + 500))),
    )
  },
)
