import test from 'ava'
import { bucketInId, bucketOf, idInBucketOf } from '../../src/domain/bucket.ts'

test('the bucket of a subject is the first 12 bits of the SHA-256 of the id', (t) => {
  // From sha256sum.
  t.is(bucketOf('alice'), 0x2bd)
  t.is(bucketOf('株式会社'), 0xe68)
  t.is(bucketOf(''), 0xe3b)
})

test('subjects fall on all buckets alike', (t) => {
  const counts = new Map<number, number>()
  for (let n = 0; n < 409_600; n++) {
    const bucket = bucketOf(`user-${n}`)
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }

  t.deepEqual([Math.min(...counts.keys()), Math.max(...counts.keys()), counts.size], [0, 4095, 4096])
  // A hundred each. A hash spreads them with a standard deviation of ten.
  t.true([...counts.values()].every((count) => count > 40 && count < 170))
})

test('an id carries the bucket of its subject in its last three digits, and keeps the others', (t) => {
  const id = idInBucketOf('alice', '0197a000-0000-7000-8000-0123456789ab')

  t.is(id, '0197a000-0000-7000-8000-0123456782bd')
  t.is(bucketInId(id), bucketOf('alice'))
})
