import type pg from 'pg'
import type { Prisma } from '../generated/client.ts'
import { translateStorageErrors } from './storage-errors.ts'

/**
 * Runs the statements of the hot path: straight on the pool that the Prisma client works on too, since the client adds as
 * much CPU time to a statement as pg needs for it (decision 12). A statement that begins with its name, `/* step-ups.load *\/`,
 * is prepared once a connection, where a connection is to one session of the server, and the name shows in the server's logs.
 */
export class Statements {
  readonly #pool: pg.Pool
  /** Whether statements are prepared for those to come, which asks for a session of the server to each connection. */
  readonly prepares: boolean

  constructor(pool: pg.Pool, prepares: boolean) {
    this.#pool = pool
    this.prepares = prepares
  }

  /** @throws {StorageUnavailable} */
  async query<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    const { text, values } = statement
    const { rows } = await translateStorageErrors(
      this.#pool.query<Row>({ ...(this.prepares && nameIn(text)), text, values }),
    )
    return rows
  }
}

function nameIn(text: string): { name?: string } {
  const name = /^\/\* ([a-z.-]+) \*\//.exec(text)?.[1]
  return name === undefined ? {} : { name }
}
