import { nameOf } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'

/**
 * A call of a function of `deploy/citus/shards.sql`, which Citus runs on the server that has the rows of the bucket.
 *
 * @param name the name of the statement.
 * @param inputs a JSON array in which each input has its place as `n`.
 */
export function delegated(name: string, called: string, bucket: number, inputs: string): Prisma.Sql {
  return Prisma.sql`/* ${Prisma.raw(name)} */
    SELECT * FROM ${Prisma.raw(called)}(${bucket}::integer, ${inputs}::json)`
}

/**
 * The same call in a session with that server, where Citus has nothing to decide. A session may prepare both, so it has a name of its own.
 *
 * @param call of {@link delegated}.
 */
export function inItsSession(call: Prisma.Sql, called: string): Prisma.Sql {
  const [, inputs] = call.values
  return Prisma.sql`/* ${Prisma.raw(nameOf(call)!)}-here */
    SELECT * FROM ${Prisma.raw(`${called}_here`)}(${inputs}::json)`
}
