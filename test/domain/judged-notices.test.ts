import test from 'ava'
import { DeliveryNotice } from '../../src/domain/delivery-notice.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { Operation } from '../../src/domain/operation.ts'

const HARD = { outcome: 'bounced', kind: 'hard-bounce' } as const
const SOFT = { outcome: 'bounced', kind: 'soft-bounce' } as const

const recipient = (action: string, status?: string, diagnostic?: string) => ({ action, status, diagnostic })
const hard = recipient('failed', '5.1.1')
const soft = recipient('failed', '4.2.2')
const delayed = recipient('delayed', '4.2.2')
const delivered = recipient('delivered', '2.0.0')
const relayed = recipient('relayed', '2.0.0')

test('of several recipients the mildest outcome counts, in whatever order, and what says nothing does not', (t) => {
  t.deepEqual(DeliveryNotice.judge([hard, soft]), SOFT)
  t.deepEqual(DeliveryNotice.judge([soft, hard]), SOFT)
  t.deepEqual(DeliveryNotice.judge([soft, delayed]), { outcome: 'delayed' })
  t.deepEqual(DeliveryNotice.judge([delayed, delivered, hard]), { outcome: 'delivered' })
  t.deepEqual(DeliveryNotice.judge([relayed, hard]), HARD)
  t.deepEqual(DeliveryNotice.judge([hard, relayed]), HARD)
  t.is(DeliveryNotice.judge([relayed]), undefined)
  t.is(DeliveryNotice.judge([recipient('expanded')]), undefined)
  t.is(DeliveryNotice.judge([]), undefined)
})

for (const [diagnostic, kind] of [
  ['550 5.1.10 null MX', HARD],
  ['550-5.1.10 null MX', HARD],
  ['it says 5.1.10', HARD],
  ['it says 5.1.100', SOFT],
  ['550', SOFT],
  ['no such user 550', SOFT],
  ['550 5.1.1.1 no code', SOFT],
  ['550 5.1.1.22 no code', SOFT],
  ['it says 5.1.1.22', SOFT],
  ['550 <a user 5.1.1> refused', SOFT],
  ['550 user5.1.1@shop.example refused', SOFT],
  ['550 user@5.1.1.example refused', SOFT],
  ['550 a@5.1.1 refused', SOFT],
] as const) {
  test(`a failure with 5.0.0 and ${JSON.stringify(diagnostic)} is a ${kind.kind}`, (t) => {
    t.deepEqual(DeliveryNotice.judge([recipient('failed', '5.0.0', diagnostic)]), kind)
  })
}

test('a mail that was delayed until it was given up is a soft bounce, whoever says so', (t) => {
  t.deepEqual(DeliveryNotice.judge([recipient('delayed', '4.4.7 (delivery time expired)')]), SOFT)
  t.deepEqual(DeliveryNotice.judge([recipient('delayed', '4.0.0', 'Envelope expired')]), SOFT)
  t.deepEqual(DeliveryNotice.judge([recipient('delayed', '4.0.0', 'the envelope')]), { outcome: 'delayed' })
  t.deepEqual(DeliveryNotice.judge([recipient('delayed')]), { outcome: 'delayed' })
})

test('a mailbox that a report names may be quoted as a whole, and nothing else', (t) => {
  const alice = EmailAddress.mailboxKey(EmailAddress.parse('alice@example.com'))
  for (const text of [
    'alice@example.com',
    '"alice"@example.com',
    '"a\\lice"@example.com.',
    'ALICE@Example.com',
  ]) {
    t.is(EmailAddress.mailboxNamed(text), alice, text)
  }
  for (const text of ['x"alice"@example.com', '"alice"x@example.com', '"alice@example.com', 'alice', '']) {
    t.is(EmailAddress.mailboxNamed(text), undefined, text)
  }
})

test('an address has at most 64 characters before the @, and 254 in all', (t) => {
  const local = 'a'.repeat(64)
  t.notThrows(() => EmailAddress.parse(`${local}@example.com`))
  t.throws(() => EmailAddress.parse(`${local}a@example.com`))
  const domain = `${'b'.repeat(63)}.`.repeat(2)
  t.notThrows(() => EmailAddress.parse(`${local}@${domain}${'c'.repeat(58)}.de`))
  t.throws(() => EmailAddress.parse(`${local}@${domain}${'c'.repeat(59)}.de`))
})

test('the canonical form of a summary is its lines as JSON, label first, without other members', (t) => {
  const line = { value: 'EUR 1', label: 'Amount', more: true }
  t.is(
    Operation.canonicalSummary([line, { label: 'To', value: '"A"' }]),
    '[{"label":"Amount","value":"EUR 1"},{"label":"To","value":"\\"A\\""}]',
  )
})
