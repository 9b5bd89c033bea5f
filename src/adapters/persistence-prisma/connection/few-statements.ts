import { bulkhead } from 'cockatiel'
import type { Prisma } from '../generated/client.ts'
import type { Sharding } from './sharding.ts'
import type { Statements } from './statements.ts'

/**
 * Runs few statements at the same time. The others wait here: in the queue of the pool, they would hold up those of others, in the
 * order in which they came.
 */
export class FewStatements implements Pick<Statements, 'query' | 'sharding'> {
  readonly sharding: Sharding
  readonly #statements: Pick<Statements, 'query'>
  readonly #places: ReturnType<typeof bulkhead>

  /** @param most fewer than the pool has connections. */
  constructor(statements: Pick<Statements, 'query' | 'sharding'>, most: number) {
    this.sharding = statements.sharding
    this.#statements = statements
    this.#places = bulkhead(most, Number.POSITIVE_INFINITY)
  }

  query<Row extends object>(statement: Prisma.Sql): Promise<Row[]> {
    return this.#places.execute(() => this.#statements.query<Row>(statement))
  }
}
