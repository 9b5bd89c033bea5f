import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A message of the server, as its log has it. */
export interface Said {
  readonly message: string
  readonly detail?: string
}

/** One run of a statement, and what the server said meanwhile. */
export interface Execution {
  readonly text: string
  /** When it ended, in ms since 1970. */
  readonly at: number
  readonly failed: boolean
  readonly said: readonly Said[]
}

/** Where a statement went. */
export interface Route {
  /** Commands that read or write rows, from the coordinator. One that it runs itself counts, too. */
  readonly tasks: number
  /** The other commands of the coordinator: a transaction, a commit in two phases. */
  readonly steps: number
  readonly nodes: readonly string[]
  /** Commands that a worker sent to another node, and those beside a call in a session with its server. */
  readonly onward: number
  /** The ranges of buckets whose shards it touched, on any node. */
  readonly ranges: readonly string[]
}

/** By the id of a shard: the tables that are cut alike, and the range of the shard. Tables that are whole on each node have none. */
export type Ranges = ReadonlyMap<string, string>

const STEP = /^(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION|SET|RESET)\b/
const SHARD = /\b[a-z_]+_(\d{6,})\b/g

/** A call in a session with the server of its rows. Each command that this server logs is one that it did not run on the shard itself. */
const IN_ITS_SESSION = /^\/\* [a-z.-]+-here \*\//

/** Reads where a statement went from what its server logged, and from what that one passed on of the logs of others. */
export function routeOf({ text, said }: Execution, ranges: Ranges): Route {
  if (IN_ITS_SESSION.test(text)) {
    const commands = said.filter(({ message }) =>
      /^(?:issuing|executing the command locally:) /.test(message),
    )
    return { tasks: 1, steps: 0, nodes: ['its own'], onward: commands.length, ranges: [] }
  }
  let [tasks, steps, onward] = [0, 0, 0]
  const nodes = new Set<string>()
  const touched = new Set<string>()
  for (const { message, detail = '' } of said) {
    const sent = /^issuing ([\s\S]*)/.exec(message)?.[1]
    const local = /^executing the command locally: ([\s\S]*)/.exec(message)?.[1]
    const command = sent ?? local
    if (command === undefined) continue
    const worker = /^from (\S+)$/.exec(detail)?.[1]
    const node = worker ?? /^on server [^@]*@(\S+)/.exec(detail)?.[1] ?? 'coordinator'
    nodes.add(node)
    for (const [, shard] of command.matchAll(SHARD)) {
      const range = ranges.get(shard!)
      if (range !== undefined) touched.add(range)
    }
    if (worker !== undefined) {
      if (sent !== undefined) onward++
    } else if (STEP.test(command)) steps++
    else tasks++
  }
  return { tasks, steps, onward, nodes: [...nodes], ranges: [...touched] }
}

/**
 * Why a statement is not one task on one node. Undefined if it is.
 *
 * @param isGroup whether it is for inputs of several shards, which a process sends together because they are on one node.
 */
export function whyNotOneTask(
  { tasks, steps, onward, nodes, ranges }: Route,
  isGroup = false,
): string | undefined {
  if (onward > 0) return `${onward} commands from one worker on`
  if (nodes.length > 1) return `${tasks} tasks on ${nodes.length} nodes`
  if (tasks !== 1) return `${tasks} tasks`
  if (steps > 0) return `${steps} commands beside its task`
  if (ranges.length > 1 && !isGroup) return `rows of ${ranges.length} shards, on one node by chance`
  return undefined
}

/** The name in the leading comment of a statement. Else what it does to which table, and by which columns, or its beginning. */
export function nameOf(text: string): string {
  const said = /^\/\* ([a-z.-]+?)(?:-here)? \*\//.exec(text)?.[1]
  if (said !== undefined) return said
  const plain = text
    .replaceAll(/"public"\.|"/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const table =
    /^(SELECT|DELETE).*? FROM ([a-z_]+)/.exec(plain) ?? /^(UPDATE|INSERT INTO) ([a-z_]+)/.exec(plain)
  if (!table) return plain.slice(0, 40)
  const columns = [...plain.replace(/^.*? WHERE /, '').matchAll(/\.([a-z_]+) = \$/g)].map(
    ([, column]) => column,
  )
  return [table[1], table[2], ...(columns.length > 0 ? ['by', columns.join(', ')] : [])].join(' ')
}

/** Where all runs of one statement went. */
export interface Routes {
  runs: number
  most: number
  nodes: number
  /** Why some runs were not one task, with how many. */
  readonly failures: Map<string, number>
}

/**
 * By the name of the statement. Runs that failed are left out: a race that is lost may end before its task. So are those of a time in which
 * a shard moved. A call that was under way goes on to the new node, and a process learns late that the members of a group are on two nodes.
 */
export function routesOf(
  executions: Iterable<Execution>,
  ranges: Ranges,
  moved: readonly { readonly from: number; readonly to: number }[] = [],
): Map<string, Routes> {
  const all = new Map<string, Routes>()
  for (const execution of executions) {
    if (execution.failed) continue
    if (moved.some(({ from, to }) => from <= execution.at && execution.at <= to)) continue
    const name = nameOf(execution.text)
    const isGroup = name.endsWith('-group')
    const routes = all.get(name) ?? { runs: 0, most: 0, nodes: 0, failures: new Map() }
    all.set(name, routes)
    const route = routeOf(execution, ranges)
    routes.runs++
    routes.most = Math.max(routes.most, route.tasks)
    routes.nodes = Math.max(routes.nodes, route.nodes.length)
    const why = whyNotOneTask(route, isGroup)
    if (why !== undefined) routes.failures.set(why, (routes.failures.get(why) ?? 0) + 1)
  }
  return all
}

/** What `watch-statements.ts` wrote in this folder. */
export async function* executionsIn(folder: string): AsyncGenerator<Execution> {
  for (const file of await readdir(folder)) {
    for (const line of (await readFile(join(folder, file), 'utf8')).split('\n')) {
      // The last line of a process that was killed may be half a line.
      if (line.endsWith('}')) yield JSON.parse(line) as Execution
    }
  }
}
