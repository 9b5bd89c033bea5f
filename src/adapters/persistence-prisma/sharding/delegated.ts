import { bucketOf } from '../../../domain/bucket.ts'
import { Prisma } from '../generated/client.ts'

/**
 * A call of a function of `deploy/citus/decisions.sql`, which runs on the server of the subject. Returns one row if the function stored its
 * input, and none if it did not.
 */
export function delegated(name: string, called: string, subjectUserId: string, input: object): Prisma.Sql {
  return Prisma.sql`/* ${Prisma.raw(name)} */
    SELECT ${Prisma.raw(called)}(${bucketOf(subjectUserId)}::integer, ${JSON.stringify(input)}::json) AS stored`
}
