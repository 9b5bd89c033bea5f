import test from 'ava'
import type { Identifiers } from '../../src/application/ports/identifiers.ts'
import { bucketInId, bucketOf } from '../../src/domain/bucket.ts'

/** What every maker of ids promises. Called once per adapter, with instances that know nothing of each other. */
export function identifiersContract(adapter: string, create: () => Identifiers): void {
  const subjects = ['alice', 'bob', '株式会社', '']
  const many = (identifiers: Identifiers) =>
    Array.from({ length: 20_000 }, (_, n) => {
      const subject = subjects[n % subjects.length]!
      return { subject, id: identifiers.next(subject) }
    })

  test(`${adapter}: an id is a canonical UUID of version 7`, (t) => {
    for (const { id } of many(create())) {
      t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
  })

  test(`${adapter}: an id carries the bucket of its subject`, (t) => {
    for (const { subject, id } of many(create())) t.is(bucketInId(id), bucketOf(subject))
  })

  test(`${adapter}: ids rise, whatever their buckets are`, (t) => {
    const ids = many(create()).map(({ id }) => id)

    t.deepEqual(ids, ids.toSorted())
  })

  test(`${adapter}: no id is made twice, for one subject or by two instances`, (t) => {
    const [one, other] = [create(), create()]
    const ids = Array.from({ length: 20_000 }, (_, n) => (n % 2 ? one : other).next('alice'))

    t.is(new Set(ids).size, ids.length)
  })
}
