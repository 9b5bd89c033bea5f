import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'
import {
  type Connections,
  connectPrisma,
} from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { noteSharding } from '../../src/adapters/persistence-prisma/connection/sharding.ts'
import type { PrismaClient } from '../../src/adapters/persistence-prisma/generated/client.ts'
import type { TestDatabase } from './database.ts'

const ADAPTER = '/src/adapters/persistence-prisma/'
const STATEMENT = /^\s*(?:\/\* (\S+) \*\/\s*)?(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i

/** The source of what runs. */
const source = new AsyncLocalStorage<string>()

/** A statement as it arrived at the database. */
export interface Arrived {
  /** Its name, or the file and the function that sent it. */
  readonly from: string
  readonly text: string
}

/** Connections that keep all their statements. */
export interface WatchedConnections extends Connections {
  readonly arrived: readonly Arrived[]
  /** The files and lines of the adapter that have called the client, as in `users/prisma-user-registry.ts:57`. */
  readonly called: ReadonlySet<string>
  /** Runs what sends its statements beside the client, on the pool. */
  as<Result>(file: string, work: () => Promise<Result>): Promise<Result>
}

/** Watches all connections of this process: a check makes its own. */
export function connectWatched(database: TestDatabase): WatchedConnections {
  const arrived: Arrived[] = []
  const called = new Set<string>()
  const connections = connectPrisma({ ...database, onConnectionLost: () => {} })
  const send = pg.Client.prototype.query as (...args: unknown[]) => unknown
  const watching = function (this: pg.Client, ...args: unknown[]): unknown {
    const [query] = args as [string | { readonly text: string }]
    const text = typeof query === 'string' ? query : query.text
    const [isStatement, name] = STATEMENT.exec(text) ?? []
    const from = name ?? source.getStore()
    if (isStatement !== undefined && from !== undefined) arrived.push({ from, text })
    return send.apply(this, args)
  }
  pg.Client.prototype.query = watching as typeof pg.Client.prototype.query
  const prisma = watched(connections.prisma, called)
  noteSharding(prisma, database.sharding)
  return {
    ...connections,
    ...{ prisma, arrived, called },
    as: (file, work) => source.run(file, work),
    close: () => {
      pg.Client.prototype.query = send as typeof pg.Client.prototype.query
      return connections.close()
    },
  }
}

/** The client, or that of a transaction, which notes the caller of each of its operations. */
function watched<Client extends object>(client: Client, called: Set<string>): Client {
  return new Proxy(client, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property)
      if (property === '$transaction') {
        return (work: unknown, options: unknown) =>
          (target as unknown as PrismaClient).$transaction(
            (typeof work === 'function'
              ? (transaction: object) => work(watched(transaction, called))
              : work) as never,
            options as never,
          )
      }
      if (/^\$(?:query|execute)Raw/.test(String(property))) return noting(value as Call, target, called)
      if (typeof value !== 'object' || value === null || !/^[a-z]/.test(String(property))) return value
      return new Proxy(value, {
        get: (model, operation) => {
          const call: unknown = Reflect.get(model, operation)
          return typeof call === 'function' ? noting(call as Call, model, called) : call
        },
      })
    },
  })
}

type Call = (...args: unknown[]) => object

function noting(call: Call, self: object, called: Set<string>) {
  return (...args: unknown[]) => {
    const { place, from } = caller()
    called.add(place)
    const promise = call.apply(self, args)
    // The client sends a statement when somebody waits for it.
    return new Proxy(promise, {
      get: (target, property) => {
        const value = Reflect.get(target, property)
        return typeof value === 'function'
          ? (...rest: unknown[]) => source.run(from, () => value.apply(target, rest))
          : value
      },
    })
  }
}

/** The line of the adapter that calls, and its file with the function around that line, if it has a name. */
function caller(): { readonly place: string; readonly from: string } {
  const stack = new Error('for its stack').stack ?? ''
  const frame = stack.split('\n').find((line) => line.includes(ADAPTER))
  const [, name = '', file, line] =
    /at (?:async )?(?:(.+) \()?file:.*\/persistence-prisma\/(.+?):(\d+):\d+/.exec(frame ?? '') ?? []
  const [, called] = /^[\w.#]*?#?(\w+)$/.exec(name) ?? []
  return { place: `${file}:${line}`, from: called ? `${file} ${called}` : String(file) }
}
