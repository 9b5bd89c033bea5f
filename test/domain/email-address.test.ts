import test from 'ava'
import { EmailAddress, EmailAddressMalformed } from '../../src/domain/email-address.ts'

/** An address of so many characters, with a domain of labels that are not too long. */
const ofLength = (length: number) =>
  `a@${'d'.repeat(50)}.`.padEnd(length - 12, `${'d'.repeat(50)}.`).concat('.example.com')

for (const text of [
  'a@example.com',
  "o'hara+bank@mail.example.co.uk",
  'x@xn--bcher-kva.example',
  `${'l'.repeat(64)}@example.com`,
  ofLength(254),
]) {
  test(`${text} is one plain address`, (t) => {
    t.is<string, string>(EmailAddress.parse(text), text)
  })
}

for (const text of [
  '',
  'alice',
  '@example.com',
  'alice@',
  'alice@localhost',
  'alice@example.com, mallory@example.com',
  'alice@example.com;mallory@example.com',
  'Alice <alice@example.com>',
  '<alice@example.com>',
  'alice@example.com\r\nBcc: mallory@example.com',
  'alice@example.com\n',
  ' alice@example.com',
  'alice smith@example.com',
  '"alice smith"@example.com',
  'alice@[127.0.0.1]',
  'alice@@example.com',
  'alice.@example.com',
  '.alice@example.com',
  'al..ice@example.com',
  'alice@-example.com',
  'alice@exämple.com',
  'alice@example.com\u0000',
  `${'l'.repeat(65)}@example.com`,
  ofLength(255),
]) {
  test(`${JSON.stringify(text)} is refused, and not repeated in the error`, (t) => {
    const error = t.throws(() => EmailAddress.parse(text), {
      instanceOf: EmailAddressMalformed,
      code: 'email-address-malformed',
    })
    if (text !== '') t.false(error.message.includes(text))
  })
}

test('a masked address shows its first character and its domain', (t) => {
  t.is(EmailAddress.mask(EmailAddress.parse('alice@example.com')), 'a•••@example.com')
  t.is(EmailAddress.mask(EmailAddress.parse('a@example.com')), 'a•••@example.com')
})

for (const [one, other, same] of [
  ['alice@example.com', 'alice@example.com', true],
  ['alice@example.com', 'alice@EXAMPLE.com', true],
  ['alice@Mail.Example.COM', 'alice@mAIL.eXAMPLE.com', true],
  ['alice@example.com', 'Alice@example.com', false],
  ['alice@example.com', 'alice@example.org', false],
  ['alice@example.com', 'alice@mail.example.com', false],
] as const) {
  test(`mail to ${one} and to ${other} goes to ${same ? 'one mailbox' : 'two mailboxes'}`, (t) => {
    t.is(EmailAddress.isSameMailbox(EmailAddress.parse(one), EmailAddress.parse(other)), same)
  })
}
