import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import pg from 'pg'
import { databasePeer } from '../../src/config/database-peer.ts'
import { createDataDir } from '../journeys/service-process.ts'

/** What node-postgres makes of a URL. */
interface Connection {
  readonly host: string
  readonly isDomainSocket: boolean
  readonly ssl: boolean | string | { readonly rejectUnauthorized?: boolean }
}

const connectionOf = (url: string) =>
  (new pg.Client({ connectionString: url }) as unknown as { readonly connectionParameters: Connection })
    .connectionParameters

const HOSTS = [
  ['127.0.0.1', false],
  ['127.8.9.10', false],
  ['localhost', false],
  ['[::1]', false],
  ['%2Fvar%2Frun%2Fpostgresql', false],
  ['db.bank.example', true],
  ['localhost.bank.example', true],
  ['10.0.0.7', true],
  ['[2001:db8::1]', true],
  ['127.0.0.1.bank.example', true],
] as const

for (const [host, remote] of HOSTS) {
  test(`a database at ${host} is ${remote ? 'elsewhere' : 'on this machine'}`, (t) => {
    const url = `postgresql://u:p@${host}/c`

    t.is(databasePeer(url, {})?.remote, remote)
    const connection = connectionOf(url)
    t.is(connection.isDomainSocket, host.startsWith('%2F'))
  })
}

test('the host in the query counts, as node-postgres has it', (t) => {
  for (const [url, host, remote] of [
    ['postgresql://u@127.0.0.1/c?host=db.bank.example', 'db.bank.example', true],
    ['postgresql://u@db.bank.example/c?host=/var/run/postgresql', '/var/run/postgresql', false],
    ['postgresql://u@db.bank.example/c?host=a.example&host=127.0.0.1', '127.0.0.1', false],
    ['postgresql:///c?host=db.bank.example', 'db.bank.example', true],
  ] as const) {
    t.is(connectionOf(url).host, host, url)
    t.is(databasePeer(url, {})?.remote, remote, url)
  }
})

test('what is no URL is no database', (t) => {
  t.is(databasePeer('db.bank.example', {}), undefined)
})

/** The queries, and whether a man in the middle would be noticed. */
const QUERIES = [
  ['', false],
  ['ssl=0', false],
  ['ssl=false', false],
  ['ssl=no-verify', false],
  ['sslmode=disable', false],
  ['sslmode=no-verify', false],
  ['sslmode=no-verify&sslrootcert=CA', false],
  ['uselibpqcompat=true', false],
  ['uselibpqcompat=true&sslmode=prefer', false],
  ['uselibpqcompat=true&sslmode=require', false],
  ['sslmode=verify-full&sslmode=no-verify', false],
  ['ssl=true', true],
  ['ssl=1', true],
  ['ssl=no-verify&sslmode=verify-full', true],
  ['sslmode=prefer', true],
  ['sslmode=require', true],
  ['sslmode=verify-ca', true],
  ['sslmode=verify-full', true],
  ['sslmode=allow', true],
  ['sslrootcert=CA', true],
  ['sslnegotiation=direct', true],
  ['uselibpqcompat=true&sslmode=verify-full', true],
  ['uselibpqcompat=true&sslmode=verify-ca&sslrootcert=CA', true],
  ['uselibpqcompat=true&sslmode=require&sslrootcert=CA', true],
  ['sslmode=no-verify&sslmode=verify-full', true],
] as const

for (const mode of [undefined, 'disable', 'require', 'verify-full', 'no-verify']) {
  for (const [query, verified] of QUERIES) {
    const title = `"${query}" with PGSSLMODE ${mode ?? 'unset'}`
    const expected =
      verified || (['', 'uselibpqcompat=true'].includes(query) && /require|full/.test(mode ?? ''))

    test.serial(
      `${title} is ${expected ? 'verified' : 'not verified'}, here and in node-postgres`,
      async (t) => {
        const home = await createDataDir()
        const before = process.env.PGSSLMODE
        t.teardown(async () => {
          if (before === undefined) delete process.env.PGSSLMODE
          else process.env.PGSSLMODE = before
          await home.remove()
        })
        await writeFile(join(home.path, 'ca'), 'an authority')
        if (mode === undefined) delete process.env.PGSSLMODE
        else process.env.PGSSLMODE = mode
        const url = `postgresql://u:p@db.bank.example/c?${query.replace('=CA', `=${home.path}/ca`)}`

        t.is(databasePeer(url, { PGSSLMODE: mode })?.verified, expected)
        const { ssl } = connectionOf(url)
        const checks = typeof ssl === 'object' ? ssl.rejectUnauthorized !== false : ssl === true
        t.is(checks, expected)
      },
    )
  }
}

test.serial('without a host in the URL, PGHOST counts', (t) => {
  const before = process.env.PGHOST
  t.teardown(() => {
    if (before === undefined) delete process.env.PGHOST
    else process.env.PGHOST = before
  })
  process.env.PGHOST = 'db.bank.example'

  t.is(connectionOf('postgresql:///c').host, 'db.bank.example')
  t.true(databasePeer('postgresql:///c', { PGHOST: 'db.bank.example' })?.remote)
  t.false(databasePeer('postgresql:///c', {})?.remote)
})
