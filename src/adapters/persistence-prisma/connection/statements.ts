import type pg from 'pg'
import type { Prisma } from '../generated/client.ts'
import { translateStorageErrors } from './storage-errors.ts'

/** Wraps each named statement. Passes on its result or error. */
export type AroundStatement = <Result>(name: string, run: () => Promise<Result>) => Promise<Result>

/**
 * Runs statements directly on the pool that it shares with the Prisma client. The client would double the CPU time of a
 * statement (decision 12). A statement that begins with its name, `/* step-ups.load *\/`, is prepared once per connection,
 * if each connection has a session of its own. The server's logs show the name, and `around` receives it.
 */
export class Statements {
  readonly #pool: pg.Pool
  /** Whether statements are prepared. This needs a session of the server for each connection. */
  readonly prepares: boolean
  /** Public for an adapter that runs the calls of several traces as one statement. */
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
