import type pg from 'pg'
import type { StatementHook } from '../../../contracts/statement-hook.ts'
import type { Prisma } from '../generated/client.ts'
import { type NodeConnections, Nodes } from '../sharding/nodes.ts'
import type { Sharding } from './sharding.ts'
import { translateStorageErrors } from './storage-errors.ts'

/** Hears how many requests share a statement. `name` is that of the statement for one. */
export type GroupListener = (name: string, members: number) => void

/** Without a hook nobody looks at a context, and to keep one for each request has its price. */
const NO_HOOK: StatementHook = {
  around: (_, run) => run(),
  keepContext: () => (work) => work(),
  aroundGroup: (_name, _callers, run) => run(),
}

/**
 * Runs statements directly on the pool that it shares with the Prisma client. The client would double the CPU time of a
 * statement (decision 12). A statement that begins with its name, `/* step-ups.load *\/`, is prepared once per connection,
 * if each connection has a session of its own. The server's logs show the name, and the hook receives it.
 */
export class Statements {
  readonly #pool: pg.Pool
  /** Whether statements are prepared. This needs a session of the server for each connection. */
  readonly prepares: boolean
  readonly hook: StatementHook
  readonly sharding: Sharding
  /** The servers of the tables, if they are spread over several. */
  readonly nodes: Nodes | undefined
  #grouped: GroupListener = () => {}

  /** @param connectTo makes sessions with another server of the tables. Without it all statements go over `pool`. */
  constructor(
    pool: pg.Pool,
    prepares: boolean,
    hook: StatementHook = NO_HOOK,
    sharding: Sharding = 'none',
    connectTo?: NodeConnections['connectTo'],
  ) {
    this.#pool = pool
    this.prepares = prepares
    this.hook = hook
    this.sharding = sharding
    if (sharding === 'citus') {
      this.nodes = new Nodes({ send: (statement) => this.send(statement), coordinator: pool, connectTo })
    }
  }

  /** Lets `listener` hear of each statement that requests may share. It replaces the listener before it. */
  onGrouped(listener: GroupListener): void {
    this.#grouped = listener
  }

  /** Says that a statement which requests may share goes out for `members` of them. */
  grouped(name: string, members: number): void {
    this.#grouped(name, members)
  }

  /** Runs a statement within the hook. @throws {StorageUnavailable} */
  query<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    const name = nameOf(statement)
    return name === undefined ? this.send(statement) : this.hook.around(name, () => this.send<Row>(statement))
  }

  /** Runs a statement without the hook. @throws {StorageUnavailable} */
  async send<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    return (await translateStorageErrors(this.#pool.query<Row>(this.#prepared(statement)))).rows
  }

  /**
   * Runs a statement without the hook, in a session with one of the servers of the tables.
   *
   * @returns undefined if there is no such session. Then nothing was sent.
   * @throws {StorageUnavailable}
   */
  async sendTo<Row extends object>(node: number, statement: Prisma.Sql): Promise<Row[] | undefined> {
    const session = await this.nodes?.sessionWith(node)
    if (!session) return undefined
    let failure: Error | undefined
    try {
      const query = session.query<Row>(this.#prepared(statement))
      query.catch((error: Error) => {
        failure = error
      })
      return (await translateStorageErrors(query)).rows
    } finally {
      // As a pool does with its own statements: after an error, the session ends.
      session.release(failure)
    }
  }

  #prepared(statement: Prisma.Sql): pg.QueryConfig {
    const { text, values } = statement
    const name = this.prepares ? nameOf(statement) : undefined
    return name === undefined ? { text, values } : { name, text, values }
  }
}

/** The name in the leading comment of a statement. */
export function nameOf({ text }: Prisma.Sql): string | undefined {
  return /^\/\* ([a-z.-]+) \*\//.exec(text)?.[1]
}
