import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import pg from 'pg'
import type { Execution, Said } from './remote-commands.ts'

/*
 * Loaded before a process (`--import`), it writes down each statement that the process sends through node-postgres, and what the server
 * said meanwhile. With `citus.log_remote_commands` that is each command to another node: a client gets these lines of the server's log.
 */

/** How node-postgres runs a statement. A connection runs one at a time. */
interface Query {
  readonly text: string
  readonly name?: string
  submit(connection: NodeJS.EventEmitter): unknown
  handleReadyForQuery(connection: NodeJS.EventEmitter): void
}

const MOST_CHARACTERS = 2000
const { prototype } = (pg as unknown as { Query: { prototype: Query } }).Query
const { submit, handleReadyForQuery } = prototype
const file = join(process.env.STATEMENTS_SEEN!, `${process.pid}-${threadId}.jsonl`)
const running = new WeakMap<object, { readonly text: string; readonly said: Said[] }>()
const heard = new WeakSet<object>()

prototype.submit = function (this: Query, connection) {
  // A statement that failed ends without a word to its query.
  note(connection, true)
  running.set(connection, { text: this.text ?? this.name, said: [] })
  if (!heard.has(connection)) {
    heard.add(connection)
    connection.on('notice', ({ message, detail }: Said) =>
      running.get(connection)?.said.push(detail === undefined ? { message } : { message, detail }),
    )
  }
  return submit.call(this, connection)
}

prototype.handleReadyForQuery = function (this: Query, connection) {
  note(connection, false)
  return handleReadyForQuery.call(this, connection)
}

function note(connection: object, failed: boolean): void {
  const statement = running.get(connection)
  if (!statement) return
  running.delete(connection)
  const text = statement.text.slice(0, MOST_CHARACTERS)
  const execution: Execution = { ...statement, text, at: Date.now(), failed }
  appendFileSync(file, `${JSON.stringify(execution)}\n`)
}
