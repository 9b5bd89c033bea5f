import type { InContext } from '../../../contracts/statement-hook.ts'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import type { Prisma } from '../generated/client.ts'
import { Slots } from './slots.ts'
import { nameOf, type Statements } from './statements.ts'
import { StorageFault } from './storage-errors.ts'

/** Members of a group. More would gain little, and a group that fails has to be sent again one by one. */
const MOST_MEMBERS = 32
/** Bytes of the members of a group. A member that alone has more is sent alone. */
const MOST_BYTES = 256 * 1024
/** Groups under way at a time. With fewer, more requests wait together and share a statement. */
const GROUPS_UNDER_WAY = 2
/** After this time a group gives its slot up, so that a slow one does not hold up the others. */
const SLOW_AFTER_MS = 100
/** An input that no group has taken by then fails, as a query does that gets no connection. */
const MOST_WAIT_IN_MS = 3000
/** The same for an input behind others of its key. It holds up nothing, and those before it end by their own time-outs. */
const MOST_WAIT_BEHIND_IN_MS = 8000

/** A key with more inputs that wait than this is crowded: it rests after each. No user alone makes so many calls at once. */
const CROWD = 4
/** How long a crowded key rests, as a multiple of the time that its last input was under way. It has a fifth of the time then. */
const REST_FACTOR = 4
/** A lock that was waited for is no work, so it makes no longer rest. */
const MOST_REST_IN_MS = 30

/** A statement for one input, and another that does the same for several. */
export interface Grouping<Input> {
  /** The name of the statement for one input. */
  readonly name: string
  /** The statement for one input. */
  readonly alone: (input: Input) => Prisma.Sql
  /**
   * The statement for several inputs, `first` among them. It takes them as one JSON array in which each has its place as `n`. Each row
   * that it returns belongs to the input with its `n`. A row with `alone: true` says that the input has to be sent alone.
   */
  readonly together: (inputs: string, first: Input) => Prisma.Sql
  /** An input as the columns that `together` expects. */
  readonly columns: (input: Input) => object
  /** Two inputs with one key are never under way at the same time. So one key holds one connection at most. */
  readonly key?: (input: Input) => string
  /** Whether an input shares no statement, because only the one for one can do it. */
  readonly solitary?: (input: Input) => boolean
  /** Whether a stored input has beaten one of its key that waits. That one then gets no row, as the database would say. */
  readonly beats?: (stored: Input, waiting: Input) => boolean
}

/** What a group returns beside the columns of a row. */
interface Placed {
  readonly n: number
  readonly alone?: boolean
}

interface Waiting<Input, Row> {
  readonly input: Input
  /** Undefined if the grouping has no keys. */
  readonly key: string | undefined
  /** Undefined until a group needs it. */
  json: string | undefined
  readonly inContext: InContext
  readonly since: number
  readonly rows: PromiseWithResolvers<Row[]>
}

type SharedStatements = Pick<Statements, 'grouped' | 'hook' | 'send'>

export interface GroupBounds {
  readonly mostMembers?: number
  readonly mostBytes?: number
  /** By default two, for the groups of this statement alone. */
  readonly slots?: Slots
  readonly slowAfterMs?: number
  readonly mostWaitInMs?: number
  readonly mostWaitBehindInMs?: number
  readonly mostRestInMs?: number
  /** How long an input waits for others to share its statement with, where nobody waits for the answer. */
  readonly gatherForMs?: number
}

/**
 * Sends the inputs that wait at the same moment as one statement. Unless it is to gather, nothing waits for a timer: while a few
 * groups are under way, the next one fills. An input that finds nobody waiting goes out at once, with the statement for one.
 *
 * A group whose statement the database refuses has stored nothing. Then each member is sent alone, so that only the one at fault
 * fails. After any other error, such as a lost connection, nobody knows what was stored. Then all members fail, as each alone would.
 */
export class GroupedStatement<Input, Row extends object> {
  readonly #statements: SharedStatements
  readonly #grouping: Grouping<Input>
  readonly #bounds: Required<GroupBounds>
  /** A group belongs to several requests, so it runs in the context of none of them. */
  readonly #outsideContexts: InContext
  /** Each key is here at most once, and not at all while an input of it is under way. */
  #waiting: Waiting<Input, Row>[] = []
  /** For each key that waits or is under way: those that wait behind it, the oldest first. */
  readonly #behind = new Map<string, Waiting<Input, Row>[]>()
  #scheduled = false

  constructor(statements: SharedStatements, grouping: Grouping<Input>, bounds: GroupBounds = {}) {
    this.#statements = statements
    this.#outsideContexts = statements.hook.keepContext()
    this.#grouping = grouping
    this.#bounds = {
      mostMembers: bounds.mostMembers ?? MOST_MEMBERS,
      mostBytes: bounds.mostBytes ?? MOST_BYTES,
      slots: bounds.slots ?? new Slots(GROUPS_UNDER_WAY),
      slowAfterMs: bounds.slowAfterMs ?? SLOW_AFTER_MS,
      mostWaitInMs: bounds.mostWaitInMs ?? MOST_WAIT_IN_MS,
      mostWaitBehindInMs: bounds.mostWaitBehindInMs ?? MOST_WAIT_BEHIND_IN_MS,
      mostRestInMs: bounds.mostRestInMs ?? MOST_REST_IN_MS,
      gatherForMs: bounds.gatherForMs ?? 0,
    }
  }

  /** The rows for one input. @throws {StorageUnavailable} */
  query(input: Input): Promise<Row[]> {
    return this.#statements.hook.around(this.#grouping.name, () => {
      const rows = Promise.withResolvers<Row[]>()
      const inContext = this.#statements.hook.keepContext()
      const key = this.#grouping.key?.(input)
      this.#enter({ input, key, json: undefined, inContext, since: performance.now(), rows })
      this.#schedule()
      return rows.promise
    })
  }

  #enter(each: Waiting<Input, Row>): void {
    const behind = each.key === undefined ? undefined : this.#behind.get(each.key)
    if (behind) {
      behind.push(each)
      return
    }
    if (each.key !== undefined) this.#behind.set(each.key, [])
    this.#waiting.push(each)
  }

  /**
   * Lets the next input of the key queue up. It joins at the end, so that a key with many inputs does not overtake others. If
   * the key is crowded, the next one rests first, so that the calls about one subject leave the processor to the others.
   */
  #leave({ key, since }: Waiting<Input, Row>): void {
    if (key === undefined) return
    const behind = this.#behind.get(key)!
    const tooLate = performance.now() - this.#bounds.mostWaitBehindInMs
    while (behind.length > 0 && behind[0]!.since < tooLate) behind.shift()!.rows.reject(noStatementInTime())
    const next = behind.shift()
    if (!next) {
      this.#behind.delete(key)
      return
    }
    const join = () => {
      this.#waiting.push({ ...next, since: performance.now() })
      this.#schedule()
    }
    if (behind.length < CROWD) join()
    else setTimeout(join, Math.min(REST_FACTOR * (performance.now() - since), this.#bounds.mostRestInMs))
  }

  /** The next group goes out when it has a slot. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return
    this.#scheduled = true
    // Lets the requests that the event loop has read already join before the group goes out.
    const take = () => this.#bounds.slots.take(() => setImmediate(() => this.#sendNext()))
    const left = this.#waiting[0]!.since + this.#bounds.gatherForMs - performance.now()
    if (left > 0) setTimeout(take, left)
    else take()
  }

  async #sendNext(): Promise<void> {
    this.#scheduled = false
    const { slots, slowAfterMs } = this.#bounds
    let hasSlot = true
    const freeSlot = () => {
      if (hasSlot) slots.free()
      hasSlot = false
    }
    const slow = setTimeout(freeSlot, slowAfterMs)
    try {
      const group = this.#takeGroup()
      this.#schedule()
      if (group.length === 0) return
      this.#statements.grouped(this.#grouping.name, group.length)
      await (group.length === 1 ? this.#sendAlone(group[0]!) : this.#sendTogether(group))
    } finally {
      clearTimeout(slow)
      freeSlot()
    }
  }

  /** The oldest that may share a statement. */
  #takeGroup(): Waiting<Input, Row>[] {
    this.#dropLate()
    const [first] = this.#waiting
    if (this.#waiting.length === 1 || (first && this.#isSolitary(first))) return this.#waiting.splice(0, 1)

    const { mostMembers, mostBytes } = this.#bounds
    const group: Waiting<Input, Row>[] = []
    const rest: Waiting<Input, Row>[] = []
    let bytes = 0
    const waiting = this.#waiting.splice(0)
    for (const each of waiting) {
      if (group.length === mostMembers || this.#isSolitary(each)) rest.push(each)
      else if (this.#encode(each)) {
        const fits = group.length === 0 || bytes + each.json.length <= mostBytes
        if (fits) bytes += each.json.length
        ;(fits ? group : rest).push(each)
      }
    }
    this.#waiting.unshift(...rest)
    return group
  }

  #isSolitary({ input }: Waiting<Input, Row>): boolean {
    return this.#grouping.solitary?.(input) ?? false
  }

  #dropLate(): void {
    const tooLate = performance.now() - this.#bounds.mostWaitInMs
    const late = this.#waiting.filter(({ since }) => since < tooLate)
    if (late.length === 0) return
    this.#waiting = this.#waiting.filter(({ since }) => since >= tooLate)
    for (const each of late) {
      each.rows.reject(noStatementInTime())
      this.#leave(each)
    }
  }

  /** False if the input has no JSON. Then it fails alone. */
  #encode(each: Waiting<Input, Row>): each is Waiting<Input, Row> & { readonly json: string } {
    try {
      each.json ??= JSON.stringify(this.#grouping.columns(each.input))
      return true
    } catch (error) {
      each.rows.reject(error)
      this.#leave(each)
      return false
    }
  }

  async #sendAlone(each: Waiting<Input, Row>): Promise<void> {
    const { input, inContext, rows } = each
    try {
      const found = await inContext(() => this.#statements.send<Row>(this.#grouping.alone(input)))
      if (found.length > 0) this.#dropBeaten(each)
      rows.resolve(found)
    } catch (error) {
      rows.reject(error)
    }
    this.#leave(each)
  }

  async #sendTogether(group: readonly Waiting<Input, Row>[]): Promise<void> {
    const found: Row[][] = group.map(() => [])
    const alone = new Set<number>()
    try {
      for (const row of await this.#rowsOf(group)) {
        if (row.alone) alone.add(row.n)
        else found[row.n]!.push(row)
      }
    } catch (error) {
      // After any other error nobody knows whether the statement was stored.
      if (!(error instanceof StorageFault)) {
        for (const each of group) {
          each.rows.reject(error)
          this.#leave(each)
        }
        return
      }
      for (const n of group.keys()) alone.add(n)
    }
    group.forEach((each, n) => {
      if (alone.has(n)) {
        void this.#sendAlone(each)
        return
      }
      if (found[n]!.length > 0) this.#dropBeaten(each)
      each.rows.resolve(found[n]!)
      this.#leave(each)
    })
  }

  /** Many guesses about one subject would otherwise wait for each other, only to learn one by one that they lost. */
  #dropBeaten({ input, key }: Waiting<Input, Row>): void {
    const { beats } = this.#grouping
    const behind = key === undefined ? undefined : this.#behind.get(key)
    if (!beats || key === undefined || !behind?.length) return
    const { beaten = [], left = [] } = Object.groupBy(behind, (each) =>
      beats(input, each.input) ? 'beaten' : 'left',
    )
    this.#behind.set(key, left)
    for (const { rows } of beaten) rows.resolve([])
  }

  #rowsOf(group: readonly Waiting<Input, Row>[]): Promise<(Row & Placed)[]> {
    const places = group.map(({ json }, n) => `{"n":${n},${json!.slice(1)}`)
    const statement = this.#grouping.together(`[${places.join()}]`, group[0]!.input)
    const callers = group.map(({ inContext }) => inContext)
    const run = () => this.#statements.send<Row & Placed>(statement)
    return this.#outsideContexts(() => this.#statements.hook.aroundGroup(nameOf(statement)!, callers, run))
  }
}

function noStatementInTime(): StorageUnavailable {
  return new StorageUnavailable('no statement in time')
}
