import test from 'ava'
import { timesIn } from '../../../src/adapters/http-koa/support/times.ts'

const times = timesIn('Europe/Berlin')

test('a time is written in the zone of the mails', (t) => {
  t.is(times.full(new Date('2030-01-01T12:00:07Z')), '1 Jan 2030, 13:00:07')
  t.is(times.clock(new Date('2030-07-01T12:00:07Z')), '14:00:07')
})

for (const [zone, minute, instant] of [
  ['Europe/Berlin', '2030-01-01T13:00', '2030-01-01T12:00:00.000Z'],
  ['Europe/Berlin', '2030-07-01T14:00', '2030-07-01T12:00:00.000Z'],
  // The clocks go forward at 02:00 and back at 03:00.
  ['Europe/Berlin', '2030-03-31T01:59', '2030-03-31T00:59:00.000Z'],
  ['Europe/Berlin', '2030-03-31T03:00', '2030-03-31T01:00:00.000Z'],
  ['Europe/Berlin', '2030-10-27T03:00', '2030-10-27T02:00:00.000Z'],
  ['America/New_York', '2030-03-10T03:00', '2030-03-10T07:00:00.000Z'],
  ['Asia/Kolkata', '2030-01-01T00:00', '2029-12-31T18:30:00.000Z'],
  ['UTC', '2030-01-01T12:00', '2030-01-01T12:00:00.000Z'],
] as const) {
  test(`the minute ${minute} of ${zone} is ${instant}`, (t) => {
    const read = timesIn(zone).minute(minute)
    t.is(read?.toISOString(), instant)
    t.is(timesIn(zone).wall(read!), minute)
  })
}

test('what is no minute is none', (t) => {
  for (const text of ['', 'now', '2030-01-01', '2030-01-01T12', '2030-13-01T12:00', '2030-01-01T25:00'])
    t.is(times.minute(text), undefined, text)
})
