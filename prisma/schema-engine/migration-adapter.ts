import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { ConnectionSettings } from './connection.ts'

type PgAdapter = Awaited<ReturnType<PrismaPg['connect']>>

/** The OIDs of `"char"`, the type of the catalogue's one-letter flags, and of `text`. */
const FLAG = 18
const TEXT = 25

/** Adapts adapter-pg to migrations. */
export class MigrationAdapter implements SqlMigrationAwareDriverAdapterFactory {
  readonly provider = 'postgres'
  readonly adapterName = '@prisma/adapter-pg'
  readonly #settings: ConnectionSettings

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  async connect(): Promise<SqlDriverAdapter> {
    return open(this.#settings)
  }

  /** An empty database in which the engine replays the migrations. It lasts as long as the connection. */
  async connectToShadowDb(): Promise<SqlDriverAdapter> {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`
    const main = await open(this.#settings)
    await main.executeScript(`CREATE DATABASE "${database}"`)

    const shadow = await open({ ...this.#settings, database })
    const close = shadow.dispose.bind(shadow)
    // adapter-pg would drop the database while its own connection to it is open. PostgreSQL refuses that.
    shadow.dispose = async () => {
      await close()
      await main.executeScript(`DROP DATABASE "${database}"`)
      await main.dispose()
    }
    return shadow
  }
}

async function open(settings: ConnectionSettings): Promise<PgAdapter> {
  // One session that never times out: the engine's advisory lock and the SETs of a migration belong to a session.
  const adapter = await new PrismaPg({ ...settings, max: 1, idleTimeoutMillis: 0 }).connect()

  // Send one message, which is all or nothing. adapter-pg splits a script at semicolons, even inside function bodies.
  adapter.executeScript = async (script) => {
    await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
  }
  readFlags(adapter)
  return adapter
}

/** adapter-pg does not support the type of the catalogue's flags, so read them as text. The engine wants characters. */
function readFlags(adapter: PgAdapter): void {
  const flagsOf = new WeakMap<object, readonly number[]>()

  const pool = adapter.underlyingDriver()
  const query = pool.query.bind(pool) as (sql: unknown) => Promise<Result | Result[]>
  const queryFlagsAsText = async (sql: unknown) => {
    const result = await query(sql)
    // A script has one result for each statement, and nobody reads them.
    if (Array.isArray(result)) return result
    const flags = [...result.fields.keys()].filter((column) => result.fields[column]?.dataTypeID === FLAG)
    for (const column of flags) result.fields[column]!.dataTypeID = TEXT
    flagsOf.set(result.rows, flags)
    return result
  }
  pool.query = queryFlagsAsText as typeof pool.query

  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (sql) => {
    const result = await queryRaw(sql)
    for (const column of flagsOf.get(result.rows) ?? []) result.columnTypes[column] = ColumnTypeEnum.Character
    return result
  }
}

interface Result {
  readonly rows: unknown[]
  readonly fields: { dataTypeID: number }[]
}
