import { bucketInId } from '../../domain/bucket.ts'
import type { Statements } from './connection/statements.ts'
import type { Prisma } from './generated/client.ts'

/** An id, and the bucket that its row is looked up in. */
export interface PlacedId {
  readonly id: string
  readonly bucket: number
}

/**
 * Looks a row up where its id says. An id from before the buckets says nothing about its row, so the look-up misses, and `findBucket`
 * finds the bucket by the id alone. An id that nobody made costs that one statement more. On several servers it would ask all of
 * them, for any id that a caller makes up. So there it is not sent.
 */
export async function rowOf<Row>(
  statements: Pick<Statements, 'query' | 'sharding'>,
  id: string,
  load: (placed: PlacedId) => Promise<readonly Row[]>,
  findBucket: (id: string) => Prisma.Sql,
): Promise<Row | undefined> {
  const carried = bucketInId(id)
  const [row] = await load({ id, bucket: carried })
  if (row || statements.sharding !== 'none') return row
  const [found] = await statements.query<{ readonly bucket: number }>(findBucket(id))
  if (!found || found.bucket === carried) return undefined
  const [older] = await load({ id, bucket: found.bucket })
  return older
}
