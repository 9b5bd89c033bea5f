import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startEmbeddedPostgres } from '../../src/development/postgres/embedded-postgres.ts'
import { type Issuer, startIssuer } from '../issuer.ts'
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts'

/** What all programs under measurement use: a PostgreSQL with its default durability, an issuer, a mail server. */
export interface Ground {
  readonly folder: string
  readonly postgresPid: number
  /** Connections of the client under load. */
  readonly connections: number
  readonly issuer: Omit<Issuer, 'token' | 'close'>
  readonly otpKey: Buffer
  readonly signingKey: Buffer
  readonly smtp: SmtpSink
  /** A connection for the bench's own queries. */
  client(url: string): Promise<pg.Client>
  /** An empty database, or one with the schema of the service. */
  createDatabase(name: string, kind: 'empty' | 'migrated'): Promise<string>
  /** How many statements a database has run so far, without the bench's own queries. */
  statementsOf(database: string): Promise<number>
  /** A token of the issuer. */
  token(claims: Readonly<Record<string, string>>): Promise<string>
  leave(): Promise<void>
}

const TEMPLATE = 'countersign_template'

export const CONNECTIONS = 32

export async function layGround(
  settings: Readonly<Record<string, string>> = {},
  connections = CONNECTIONS,
): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
  // If root runs this, the server runs under another account, which needs access.
  await chmod(folder, 0o755)
  const postgres = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    settings: { max_connections: '200', shared_preload_libraries: 'pg_stat_statements', ...settings },
  })
  const lockFile = await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')
  await migrateDatabase(databaseUrl(postgres.url, TEMPLATE))

  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query('CREATE EXTENSION pg_stat_statements')
  const issuer = await startIssuer()
  const smtp = await startSmtpSink()
  const clients: pg.Client[] = [admin]

  return {
    folder,
    connections,
    postgresPid: Number(lockFile.split('\n')[0]),
    issuer,
    otpKey: randomBytes(32),
    signingKey: randomBytes(32),
    smtp,
    client: async (url) => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      clients.push(client)
      return client
    },
    createDatabase: async (name, kind) => {
      await admin.query(`CREATE DATABASE ${name} ${kind === 'migrated' ? `TEMPLATE ${TEMPLATE}` : ''}`)
      return databaseUrl(postgres.url, name)
    },
    statementsOf: async (database) => {
      const { rows } = await admin.query(
        `SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
         WHERE d.datname = $1`,
        [database],
      )
      return Number(rows[0].calls)
    },
    token: issuer.token,
    leave: async () => {
      for (const client of clients) await client.end()
      smtp.close()
      issuer.close()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = name
  return url.href
}
