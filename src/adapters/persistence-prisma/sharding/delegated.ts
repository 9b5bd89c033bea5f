import { Prisma } from '../generated/client.ts'

/**
 * A call of a function of `deploy/citus/decisions.sql`, which runs on the server that has the rows of the bucket.
 *
 * @param name the name of the statement.
 * @param inputs a JSON array in which each input has its place as `n`.
 */
export function delegated(name: string, called: string, bucket: number, inputs: string): Prisma.Sql {
  return Prisma.sql`/* ${Prisma.raw(name)} */
    SELECT * FROM ${Prisma.raw(called)}(${bucket}::integer, ${inputs}::json)`
}
