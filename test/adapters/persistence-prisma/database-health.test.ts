import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseHealth } from '../../../src/adapters/persistence-prisma/connection/database-health.ts'
import { startPooler } from '../../doubles/pooler.ts'
import { createTestDatabase, missingDatabaseUrl, query } from '../../support/database.ts'

function connect(t: ExecutionContext, url: string) {
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(connections.close)
  return connections
}

const problemOf = (t: ExecutionContext, url: string) => new DatabaseHealth(connect(t, url)).problem()

/** The URL of a server that treats each connection like this. */
async function serverThat(t: ExecutionContext, treat: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer(treat).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.close()
  })
  await once(server, 'listening')
  return `postgresql://nobody:secret@127.0.0.1:${(server.address() as AddressInfo).port}/none`
}

async function changed(change: (url: URL) => void): Promise<string> {
  const url = new URL((await createTestDatabase()).url)
  change(url)
  return url.href
}

const OUTAGES: readonly (readonly [
  what: string,
  url: (t: ExecutionContext) => Promise<string>,
  problem: string,
])[] = [
  ['is silent', (t) => serverThat(t, () => {}), 'the database does not answer'],
  [
    'refuses connections',
    async () => 'postgresql://nobody:secret@127.0.0.1:1/none',
    'the database refuses connections (ECONNREFUSED)',
  ],
  [
    'breaks off connections',
    (t) => serverThat(t, (socket) => void socket.resetAndDestroy()),
    'the database breaks off connections (ECONNRESET)',
  ],
  [
    'closes connections',
    (t) => serverThat(t, (socket) => void socket.end()),
    'the database breaks off connections',
  ],
  [
    'has a name without an address',
    async () => 'postgresql://nobody:secret@nobody.invalid/none',
    'the database has no address (ENOTFOUND)',
  ],
  [
    'refuses the password',
    () =>
      changed((url) => {
        url.password = 'secret'
      }),
    'the database refuses connections (28P01)',
  ],
  ['does not exist', async () => missingDatabaseUrl(), 'the database refuses connections (3D000)'],
  [
    'has no TLS',
    () => changed((url) => url.searchParams.set('sslmode', 'verify-full')),
    'the database refuses encryption',
  ],
  [
    'is behind a pooler that refuses its parameters',
    async (t) => {
      const { url, server } = await startPooler((await createTestDatabase()).url, {
        mode: 'session',
        refusesParameters: true,
      })
      t.teardown(() => {
        server.close()
      })
      return url
    },
    'the database refuses connections (08P01)',
  ],
]

for (const [what, url, problem] of OUTAGES) {
  test(`a database that ${what} has a problem of its own`, async (t) => {
    const found = await problemOf(t, await url(t))

    // With more than one address of a name, the last one may fail in another way.
    t.is(found?.replace('EAI_AGAIN', 'ENOTFOUND'), problem)
    t.notRegex(found ?? '', /nobody|secret/)
  })
}

test('a database that answers has no problem', async (t) => {
  t.is(await problemOf(t, (await createTestDatabase()).url), undefined)
})

test('a process that uses all its connections does not blame the database for silence', async (t) => {
  const connections = connect(t, (await createTestDatabase()).url)
  const used = await Promise.all(Array.from({ length: 10 }, () => connections.pool.connect()))
  t.teardown(() => {
    for (const client of used) client.release()
  })

  t.is(await new DatabaseHealth(connections).problem(), 'the database has no free connection')
})

test('a database with a schema of its own refuses a query', async (t) => {
  const { url } = await createTestDatabase()
  await query(url, 'ALTER TABLE _prisma_migrations RENAME COLUMN migration_name TO other')

  t.is(await problemOf(t, url), 'the database refuses a query (42703)')
})
