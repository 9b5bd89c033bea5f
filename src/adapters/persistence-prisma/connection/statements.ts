import type pg from 'pg'
import type { Prisma } from '../generated/client.ts'
import { translateStorageErrors } from './storage-errors.ts'

/** Runs each named statement, and passes on what comes of it. */
export type AroundStatement = <Result>(name: string, run: () => Promise<Result>) => Promise<Result>

/**
 * Runs statements straight on the pool that the Prisma client works on too, since the client adds as much CPU time to a
 * statement as pg needs for it (decision 12). A statement that begins with its name, `/* step-ups.load *\/`, is prepared once
 * a connection, if a connection is to one session of the server. The name shows in the server's logs, and `around` gets it.
 */
export class Statements {
  readonly #pool: pg.Pool
  /** Whether statements are prepared for those to come, which asks for a session of the server to each connection. */
  readonly prepares: boolean
  /** For what stands for a statement that others share. */
  readonly around: AroundStatement

  constructor(pool: pg.Pool, prepares: boolean, around: AroundStatement = (_, run) => run()) {
    this.#pool = pool
    this.prepares = prepares
    this.around = around
  }

  /** @throws {StorageUnavailable} */
  query<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    const { text, values } = statement
    const name = /^\/\* ([a-z.-]+) \*\//.exec(text)?.[1]
    if (name === undefined) return this.#run({ text, values })
    return this.around(name, () => this.#run<Row>(this.prepares ? { name, text, values } : { text, values }))
  }

  async #run<Row extends object>(config: pg.QueryConfig): Promise<Row[]> {
    return (await translateStorageErrors(this.#pool.query<Row>(config))).rows
  }
}
