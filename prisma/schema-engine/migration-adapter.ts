import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { ConnectionSettings } from './connection.ts'

type PgAdapter = Awaited<ReturnType<PrismaPg['connect']>>

/** The type `"char"` of the catalogue's one-letter flags, and `text`, by their OIDs. */
const FLAG = 18
const TEXT = 25

/** adapter-pg, adapted for migrations. */
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

  /** Creates an empty database in which the engine replays the migrations. It is dropped with the connection. */
  async connectToShadowDb(): Promise<SqlDriverAdapter> {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`
    const main = await open(this.#settings)
    await main.executeScript(`CREATE DATABASE "${database}"`)

    const shadow = await open({ ...this.#settings, database })
    const close = shadow.dispose.bind(shadow)
    // adapter-pg would drop the database while its own connection to it is open, which PostgreSQL refuses.
    shadow.dispose = async () => {
      await close()
      await main.executeScript(`DROP DATABASE "${database}"`)
      await main.dispose()
    }
    return shadow
  }
}

async function open(settings: ConnectionSettings): Promise<PgAdapter> {
  // A single session that never idles out: the engine's advisory lock and a migration's SETs belong to the session.
  const adapter = await new PrismaPg({ ...settings, max: 1, idleTimeoutMillis: 0 }).connect()

  // A single message is all or nothing. adapter-pg would split a script at every semicolon, even in function bodies.
  adapter.executeScript = async (script) => {
    await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
  }
  readFlags(adapter)
  return adapter
}

/** adapter-pg does not support the type of the catalogue's flags, so it reads them as text. The engine expects characters. */
function readFlags(adapter: PgAdapter): void {
  const flagsOf = new WeakMap<object, readonly number[]>()

  const pool = adapter.underlyingDriver()
  const query = pool.query.bind(pool) as (sql: unknown) => Promise<Result | Result[]>
  const queryFlagsAsText = async (sql: unknown) => {
    const result = await query(sql)
    // A script of several statements has several results, which are not read.
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
