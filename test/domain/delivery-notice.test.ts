import test from 'ava'
import { DeliveryNotice, type RecipientNotice } from '../../src/domain/delivery-notice.ts'

const HARD = { outcome: 'bounced', kind: 'hard-bounce' } as const
const SOFT = { outcome: 'bounced', kind: 'soft-bounce' } as const
const DELAYED = { outcome: 'delayed' } as const
const DELIVERED = { outcome: 'delivered' } as const

const notice = (action: string, status?: string, diagnostic?: string): RecipientNotice => ({
  action,
  status,
  diagnostic,
})

for (const [expected, action, status, diagnostic] of [
  // The reply counts before the status.
  [HARD, 'failed', '5.0.0', '550 5.1.1 no such user'],
  [HARD, 'failed', '5.0.0', '550-5.1.1 no such user 550-5.1.1 here 550 5.1.1 at all'],
  [SOFT, 'failed', '5.1.1', '550 no such user'],
  [SOFT, 'failed', '5.1.1', '550'],
  [SOFT, 'failed', '5.1.1', '452 4.2.2 full'],
  [SOFT, 'failed', '5.1.1', '452 full'],
  [SOFT, 'failed', '5.1.1', '550 5.7.1 no'],
  [SOFT, 'failed', '5.0.0', '550 4.1.1 a contradiction'],
  [SOFT, 'failed', '5.0.0', '450 5.1.1 a contradiction'],
  [SOFT, 'failed', '5.0.0', '550-5.1.1 one 550 5.7.1 or the other'],
  // Codes elsewhere in the text count if none is in its place.
  [HARD, 'failed', '5.0.0', '550 no such user (5.1.1)'],
  [HARD, 'failed', '5.0.0', 'it says #5.1.10.'],
  [HARD, 'failed', '5.0.0', '550 5.1.1 see the manual, 5.7.1'],
  [HARD, 'failed', '5.0.0', '550 5.1.10 see the manual, 5.7.1'],
  // Each part of a code has three digits at most, and those of two or three are read whole.
  [SOFT, 'failed', '5.0.0', '550-5.10.1 one 550 5.1.1 another'],
  [SOFT, 'failed', '5.1.1', 'it says 5.10.1'],
  [HARD, 'failed', '5.0.0', '550-5.1.1234 is none 550 5.1.1 is one'],
  [HARD, 'failed', '5.1.1', 'it says 5.1.1000'],
  [SOFT, 'failed', '5.0.0', '550 version 15.1.1 of 10.5.1.1'],
  [SOFT, 'failed', '5.0.0', '550 <5.1.1@shop.example> refused, 5.1.1@shop.example'],
  // Without a reply the status counts.
  [HARD, 'failed', '5.1.1', 'unknown user: "nobody"'],
  [HARD, 'failed', '5.1.1', undefined],
  ...['5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'].map((code) => [HARD, 'failed', code, undefined] as const),
  ...[
    '5.0.0',
    '5.1.0',
    '5.1.4',
    '5.1.7',
    '5.2.2',
    '5.4.4',
    '5.6.0',
    '5.7.1',
    '4.2.2',
    '4.1.1',
    undefined,
  ].map((code) => [SOFT, 'failed', code, undefined] as const),
  [SOFT, 'failed', '4.4.7', '452 4.2.2 full'],
  [SOFT, 'delayed', '4.4.7', undefined],
  [SOFT, 'delayed', '4.0.0', 'Envelope expired'],
  [DELAYED, 'delayed', '4.2.2', '452 4.2.2 full'],
  [DELAYED, 'delayed', '5.1.1', '550 5.1.1 no such user'],
  [DELAYED, 'delayed', undefined, undefined],
  [DELIVERED, 'delivered', '2.0.0', undefined],
  [undefined, 'relayed', '2.0.0', undefined],
  [undefined, 'expanded', '2.0.0', undefined],
  [undefined, '', '5.1.1', '550 5.1.1 no such user'],
] as const) {
  test(`${action || 'nothing'} with ${status} and ${JSON.stringify(diagnostic)} means ${expected ? Object.values(expected).join(', ') : 'nothing'}`, (t) => {
    t.deepEqual(DeliveryNotice.judge([notice(action, status, diagnostic)]), expected)
  })
}

test.serial('a reply of any length is judged without holding up others', (t) => {
  const units = ['<', '>', 'a', '@', ' ', '\t', '5', '.', '-', '550 ', '5.1.1', 'envelope ']
  for (const one of units) {
    for (const other of units) {
      const diagnostic = (one + other).repeat(65_536 / (one + other).length) + one.repeat(10_000)
      const before = process.threadCpuUsage()
      DeliveryNotice.judge([notice('failed', '5.1.1', diagnostic), notice('delayed', '5.1.1', diagnostic)])
      const { user, system } = process.threadCpuUsage(before)
      // A few milliseconds, or seconds if the work grows with the square of the length.
      t.true(user + system < 400_000, JSON.stringify([one, other]))
    }
  }
})

test('of several recipients the mildest outcome counts', (t) => {
  const hard = notice('failed', '5.1.1')
  const soft = notice('failed', '4.2.2')
  const delayed = notice('delayed', '4.2.2')
  const delivered = notice('delivered', '2.0.0')

  t.deepEqual(DeliveryNotice.judge([hard, hard]), HARD)
  t.deepEqual(DeliveryNotice.judge([hard, soft]), SOFT)
  t.deepEqual(DeliveryNotice.judge([hard, delayed, soft]), DELAYED)
  t.deepEqual(DeliveryNotice.judge([hard, delayed, delivered, soft]), DELIVERED)
  t.deepEqual(DeliveryNotice.judge([notice('relayed'), hard]), HARD)
  t.is(DeliveryNotice.judge([]), undefined)
})
