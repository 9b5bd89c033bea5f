import { type GroupBounds, GroupedStatement, type Grouping } from '../connection/grouped-statement.ts'
import { Slots } from '../connection/slots.ts'
import type { Statements } from '../connection/statements.ts'
import type { Prisma } from '../generated/client.ts'
import { delegated, inItsSession } from './delegated.ts'
import type { Nodes } from './nodes.ts'

/** What a grouping is if the tables are spread over several servers: a function, or a statement that its inputs do not share. */
export type ShardedGrouping<Input> = Grouping<Input> & {
  readonly sharded: DelegatedGrouping<Input> | Pick<Grouping<Input>, 'alone'>
}

/** Inputs that only a function takes: on one server another statement does the same. */
export type DelegatedInputs<Input> = Pick<Grouping<Input>, 'name' | 'columns' | 'key' | 'beats'> & {
  readonly sharded: DelegatedGrouping<Input>
}

interface DelegatedGrouping<Input> {
  /** The function of `deploy/citus/decisions.sql` that does the same. It takes what `together` takes, for one input as for several. */
  readonly called: string
  readonly bucket: (input: Input) => number
  /** An input as the columns that the function expects. By default those of `together`. */
  readonly columns?: (input: Input) => object
}

/** Sends inputs to the database, together where it can. */
export interface Groups<Input, Row> {
  /** The rows for one input. @throws {StorageUnavailable} */
  query(input: Input): Promise<Row[]>
}

export function groupsOf<Input, Row extends object>(
  statements: Statements,
  grouping: ShardedGrouping<Input>,
  bounds: GroupBounds = {},
): Groups<Input, Row> {
  const { nodes } = statements
  const { sharded } = grouping
  if (!nodes) return new GroupedStatement(statements, grouping, bounds)
  if ('called' in sharded) return new GroupsByNode(statements, nodes, { ...grouping, sharded }, bounds)
  return new GroupedStatement(statements, { ...grouping, ...sharded, solitary: () => true }, ALL_AT_ONCE)
}

/** A call that waits for a lock keeps all others from its server for so long. */
const SLOW_AFTER_MS = 25
const ALL_AT_ONCE = { slots: new Slots(Number.POSITIVE_INFINITY) }

/** Inputs whose rows are on one server share a statement, in a session with that server where there is one, and wait for no other server. */
export class GroupsByNode<Input, Row extends object> implements Groups<Input, Row> {
  readonly #groups = new Map<number | undefined, GroupedStatement<Input, Row>>()
  readonly #statements: Statements
  readonly #nodes: Nodes
  readonly #grouping: DelegatedInputs<Input>
  readonly #bounds: GroupBounds

  constructor(
    statements: Statements,
    nodes: Nodes,
    grouping: DelegatedInputs<Input>,
    bounds: GroupBounds = {},
  ) {
    this.#statements = statements
    this.#nodes = nodes
    this.#grouping = grouping
    this.#bounds = bounds
  }

  query(input: Input): Promise<Row[]> {
    const node = this.#nodes.of(this.#grouping.sharded.bucket(input))
    const groups = this.#groups.get(node) ?? this.#groupsOn(node)
    this.#groups.set(node, groups)
    return groups.query(input)
  }

  #groupsOn(node: number | undefined): GroupedStatement<Input, Row> {
    const { name, key, beats, sharded } = this.#grouping
    const { called, bucket, columns = this.#grouping.columns } = sharded
    const isUnknown = node === undefined
    const call = (as: string, inputs: string, first: Input): Prisma.Sql =>
      delegated(as, called, bucket(first), inputs)
    const { hook } = this.#statements
    return new GroupedStatement(
      {
        hook,
        grouped: (statement, members) => this.#statements.grouped(statement, members),
        send: async <Found extends object>(form: Prisma.Sql) => {
          const overCoordinator = () => this.#statements.send<Found>(form)
          if (isUnknown) return overCoordinator()
          return (
            (await this.#statements.sendTo<Found>(node, inItsSession(form, called))) ??
            this.#nodes.overCoordinator(node, overCoordinator)
          )
        },
      },
      {
        ...{ name, columns },
        ...(key && { key }),
        ...(beats && { beats }),
        ...(isUnknown && { solitary: () => true }),
        alone: (input) => call(name, JSON.stringify([{ n: 0, ...columns(input) }]), input),
        together: (inputs, first) => call(`${name}-group`, inputs, first),
      },
      isUnknown
        ? ALL_AT_ONCE
        : { slowAfterMs: SLOW_AFTER_MS, ...this.#bounds, slots: this.#nodes.slotsOf(node) },
    )
  }
}
