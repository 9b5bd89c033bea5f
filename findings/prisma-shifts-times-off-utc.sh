#!/usr/bin/env bash
# Prisma's adapter for PostgreSQL stores and reads wrong times if the session is not in UTC.
#
# Expected: timestamptz is a moment. A Date goes in and comes out as the same moment, whatever zone the session has.
# Happens:  the adapter writes the UTC time of day without a zone, so the server takes it for local time. It reads by replacing
#   the zone with +00:00. A Date that Prisma wrote comes back unchanged, so a test of a round trip passes. Whatever else looks at
#   the table, such as node-postgres, now() or a report in SQL, sees another moment.
# Matters:  a server takes the zone of the machine that it was set up on. Codes there expire hours early or late for one half
#   of a service that also uses plain SQL. Start each session with TimeZone=UTC.
# Versions: @prisma/adapter-pg 7.10.1, pg 8.23.1, PostgreSQL 18.6 as PGlite 0.5.14, Node.js 24. Seen on 2026-11-28.
# Read:     Prisma, "PostgreSQL: native type attributes". Known: prisma/orm#26786 (reading), prisma/orm#28629 (writing).
set -euo pipefail
node -e 'process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)' || { echo 'needs Node.js 24'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @prisma/adapter-pg@7.10.1 pg@8.23.1 \
  @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17

cat >finding.js <<'JS'
import assert from 'node:assert/strict'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'

const NOON = '2030-01-01T12:00:00.000Z'
const database = await PGlite.create()
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: 4 })
let port
server.addEventListener('listening', ({ detail }) => {
  port = detail.port
})
await server.start()

/** What comes of noon in UTC, in sessions of this zone. */
async function noonIn(zone) {
  await database.exec(`SET TimeZone = '${zone}'`)
  await database.exec('DROP TABLE IF EXISTS codes; CREATE TABLE codes (expires_at timestamptz)')
  const connection = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 1 }

  const adapter = await new PrismaPg(connection).connect()
  const argTypes = [{ scalarType: 'datetime', arity: 'scalar' }]
  await adapter.executeRaw({ sql: 'INSERT INTO codes VALUES ($1)', args: [NOON], argTypes })
  const roundTrip = await adapter.queryRaw({ sql: 'SELECT expires_at FROM codes', args: [], argTypes: [] })
  const [[moment]] = (
    await adapter.queryRaw({ sql: `SELECT '${NOON}'::timestamptz`, args: [], argTypes: [] })
  ).rows
  await adapter.dispose()

  const client = new pg.Client(connection)
  await client.connect()
  const stored = (await client.query('SELECT expires_at FROM codes')).rows[0].expires_at.toISOString()
  await client.end()
  return { roundTrip: new Date(roundTrip.rows[0][0]).toISOString(), stored, moment }
}

const seen = { UTC: await noonIn('UTC'), 'America/New_York': await noonIn('America/New_York') }
await server.stop()
await database.close()
console.log(seen)
assert.deepEqual(seen, {
  UTC: { roundTrip: NOON, stored: NOON, moment: '2030-01-01T12:00:00+00:00' },
  'America/New_York': {
    roundTrip: NOON,
    stored: '2030-01-01T17:00:00.000Z',
    moment: '2030-01-01T07:00:00+00:00',
  },
})
JS
node finding.js
