import { bucketInId } from '../../domain/bucket.ts'

/** An id, and the bucket that its row is looked up in. */
export interface PlacedId {
  readonly id: string
  readonly bucket: number
}

/**
 * Looks a row up where its id says. An id from before the buckets says nothing about its row, so the look-up misses, and `findBucket`
 * finds the bucket by the id alone. An id that nobody made costs that one statement more.
 */
export async function rowOf<Row>(
  id: string,
  load: (placed: PlacedId) => Promise<readonly Row[]>,
  findBucket: (id: string) => Promise<readonly { readonly bucket: number }[]>,
): Promise<Row | undefined> {
  const carried = bucketInId(id)
  const [row] = await load({ id, bucket: carried })
  if (row) return row
  const [found] = await findBucket(id)
  if (!found || found.bucket === carried) return undefined
  const [older] = await load({ id, bucket: found.bucket })
  return older
}
