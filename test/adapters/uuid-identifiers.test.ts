import test from 'ava'
import { UuidIdentifiers } from '../../src/adapters/identifiers-uuid/uuid-identifiers.ts'
import { identifiersContract } from '../contracts/identifiers.contract.ts'
import { NOON } from '../domain/examples.ts'
import { CountedIdentifiers } from '../doubles/counted-identifiers.ts'
import { SettableClock } from '../doubles/settable-clock.ts'

identifiersContract('uuid', () => new UuidIdentifiers())
identifiersContract('counted', () => new CountedIdentifiers(new SettableClock(NOON)))

test('an id begins with its time in milliseconds', (t) => {
  const before = Date.now()
  const time = Number.parseInt(new UuidIdentifiers().next('alice').replaceAll('-', '').slice(0, 12), 16)

  t.true(before <= time && time <= Date.now())
})

test('ids of one instant and one bucket differ in what is drawn for each', (t) => {
  const identifiers = new UuidIdentifiers()
  const ids = Array.from({ length: 2000 }, () => BigInt(`0x${identifiers.next('alice').replaceAll('-', '')}`))

  // The 30 bits between the counter and the bucket: each is set in about half of all ids.
  for (let bit = 12n; bit < 42n; bit++) {
    const set = ids.filter((id) => (id >> bit) & 1n).length
    t.true(set > 800 && set < 1200, `bit ${bit} is set in ${set} of 2000`)
  }
})
