import test from 'ava'
import { type DomainEvent, FORGERIES, isForgery } from '../../src/domain/domain-event.ts'

const event = (fields: object) => ({ type: 'consumption-refused', ...fields }) as DomainEvent

test('an event with one of the reasons of a forgery records a forgery', (t) => {
  t.deepEqual(FORGERIES, ['unsealed', 'broken-seal', 'set-back'])
  for (const reason of FORGERIES) t.true(isForgery(event({ reason })), reason)
})

test('an event with another reason, or without one, records none', (t) => {
  for (const fields of [{ reason: 'digest-mismatch' }, { reason: 'user-gone' }, { reason: undefined }, {}]) {
    t.false(isForgery(event(fields)), JSON.stringify(fields))
  }
})
