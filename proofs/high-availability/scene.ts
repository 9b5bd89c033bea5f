import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { until } from '../../test/journeys/client.ts'
import { countingInbox } from '../../test/support/counting-inbox.ts'
import { startCountersign } from '../bench/countersign.ts'
import { startIssuer } from '../issuer.ts'
import type { Program } from '../processes.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { disagreements, Ledger } from './ledger.ts'
import { type Letter, Users } from './users.ts'

const DATABASE = 'countersign'
const PROCESSES = 2
const SQL = new URL('../../deploy/postgresql/', import.meta.url)

/** A cluster, the service in front of it in production mode, and users. */
export interface Scene {
  readonly cluster: Cluster
  readonly ledger: Ledger
  readonly users: Users
  /** Until every process is ready. */
  ready(): Promise<void>
  /** Until no mail waits. */
  mailsSent(): Promise<void>
  /** What the primary of now should have and has not. */
  disagreements(): Promise<string[]>
  leave(): Promise<void>
}

export async function setScene({ links = false }: { links?: boolean } = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-ha-'))
  // If root runs this, PostgreSQL runs under another account, which needs access.
  await chmod(folder, 0o755)
  const ledger = new Ledger()
  const letters = new Map<string, Letter[]>()
  const issuer = await startIssuer()
  const inbox = await countingInbox(async ({ issuanceId, code, recipient }) => {
    ledger.arrived(issuanceId, code)
    letters.set(recipient, [...(letters.get(recipient) ?? []), { issuanceId, code }])
  })
  const cluster = await startCluster(folder, { links })
  await createDatabase(cluster)

  const surroundings = {
    folder,
    issuer,
    otpKey: randomBytes(32),
    signingKey: randomBytes(32),
    smtp: inbox,
  }
  const programs: Program[] = []
  for (let n = 0; n < PROCESSES; n++) {
    const url = cluster.urlOf('countersign_service', DATABASE)
    const limits = {
      SUBJECT_MAX_ISSUANCES: '1000',
      MAILBOX_MAX_ISSUANCES: '1000',
      SUBJECT_MAX_CHALLENGES: '1000',
    }
    programs.push(await startCountersign(surroundings, url, 1, limits))
  }
  const users = new Users(
    programs.map(({ url }) => url),
    issuer,
    ledger,
    letters,
  )
  /** Asks the server that is the primary now. It may be another one the next time. */
  const onPrimary = async <Result>(ask: (db: pg.Pool) => Promise<Result>): Promise<Result> => {
    const db = new pg.Pool({ connectionString: await cluster.primaryUrl(DATABASE), max: 2 })
    db.on('error', () => {})
    try {
      return await ask(db)
    } finally {
      await db.end()
    }
  }
  return {
    cluster,
    ledger,
    users,
    ready: async () => {
      for (const { url } of programs) {
        await until(
          async () => (await fetch(`${url}/readyz`)).status,
          (status) => status === 200,
        )
      }
    },
    mailsSent: async () => {
      await onPrimary((db) =>
        until(
          async () =>
            (await db.query(`SELECT 1 FROM otp_issuances WHERE status = 'queued' LIMIT 1`)).rowCount,
          (waiting) => waiting === 0,
        ),
      )
    },
    disagreements: () => onPrimary((db) => disagreements(db, ledger)),
    leave: async () => {
      users.abandon()
      for (const program of programs) await program.stop()
      await inbox.close()
      await cluster.stop()
      issuer.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** As docs/operations.md says: a database, two roles, the migrations by the owner, the rights of the service. */
async function createDatabase(cluster: Cluster): Promise<void> {
  const superuser = (database: string, ...scripts: string[]) =>
    runScripts(cluster.urlOf('postgres', database), scripts)
  await superuser('postgres', `CREATE DATABASE ${DATABASE}`)
  await superuser(
    DATABASE,
    await readFile(new URL('roles.sql', SQL), 'utf8'),
    `ALTER ROLE countersign_owner PASSWORD 'ha'; ALTER ROLE countersign_service PASSWORD 'ha'`,
  )
  const owner = cluster.urlOf('countersign_owner', DATABASE)
  await migrateDatabase(owner)
  await runScripts(owner, [await readFile(new URL('grants.sql', SQL), 'utf8')])
}

async function runScripts(url: string, scripts: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const script of scripts) await client.query(script)
  await client.end()
}
