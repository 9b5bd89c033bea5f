import test from 'ava'
import { ADDRESS_AS_WRITTEN, EmailAddress, EmailAddressMalformed } from '../../src/domain/email-address.ts'

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
  'alice.example.com',
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
  'alice@exämple',
  'älice@example.com',
  'alice@exa mple.ü.com',
  'alice@ex%61mple.ü.com',
  'alice@ü@example.com',
  'alice@１２７.０.０.１',
  'alice@℀.example',
  'alice@-ü.example',
  'alice@ü..example',
  'alice@ü.example.',
  'alice@ü:25.example',
  'alice@[ü].example',
  'alice@\u202eü.example',
  'alice@ü\u2028.example',
  `alice@${'ü'.repeat(63)}.example`,
  'alice@example.com\u0000',
  'alice@example.com.',
  '"alice"@example.com',
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

for (const [text, address] of [
  ['info@bücher.example', 'info@xn--bcher-kva.example'],
  ['info@BÜCHER.example', 'info@xn--bcher-kva.example'],
  ['info@bu\u0308cher.example', 'info@xn--bcher-kva.example'],
  ['info@bücher。example', 'info@xn--bcher-kva.example'],
  ['info@XN--BCHER-KVA.example', 'info@XN--BCHER-KVA.example'],
  ['Info@straße.example', 'Info@xn--strae-oqa.example'],
  ['info@例え.テスト', 'info@xn--r8jz45g.xn--zckzah'],
  ['info@президент.рф', 'info@xn--d1abbgf6aiiy.xn--p1ai'],
  ['info@ｅｘａｍｐｌｅ.com', 'info@example.com'],
] as const) {
  test(`${text} is ${address}`, (t) => {
    t.is<string, string>(EmailAddress.parse(text), address)
    t.is<string, string>(EmailAddress.parse(address), address)
    t.regex(text, ADDRESS_AS_WRITTEN)
  })
}

for (const text of [
  'alice',
  'älice@example.com',
  'alice@example',
  'alice@exa mple.ü.com',
  'alice@ü:25.example',
  'alice@-ü.example',
  'alice@ü-.example',
  'alice@ü..example',
  'alice@ü.example.',
  'alice@ü.example\n',
]) {
  test(`${JSON.stringify(text)} has not the form of an address`, (t) => {
    t.notRegex(text, ADDRESS_AS_WRITTEN)
  })
}

test('an address is too long as it is written, and as its domain is in ASCII', (t) => {
  const malformed = { instanceOf: EmailAddressMalformed, message: 'Not one plain e-mail address' }
  // Domains ignore soft hyphens.
  const hyphens = (count: number) => `alice@exam${'\u00ad'.repeat(count)}ple.com`
  t.is<string, string>(EmailAddress.parse(hyphens(254 - 'alice@example.com'.length)), 'alice@example.com')
  t.throws(() => EmailAddress.parse(hyphens(255 - 'alice@example.com'.length)), malformed)
  // Each of these labels is eight characters in ASCII.
  t.notThrows(() => EmailAddress.parse(`${'l'.repeat(64)}@${'ü.'.repeat(22)}example`))
  t.throws(() => EmailAddress.parse(`${'l'.repeat(64)}@${'ü.'.repeat(23)}example`), malformed)
})

test('an address says which part of it is not ASCII, and cannot be', (t) => {
  t.throws(() => EmailAddress.parse('älice@example.com'), { message: /before the @ must be ASCII$/ })
  t.throws(() => EmailAddress.parse('alice@℀.example'), {
    message: /domain of the address is not a domain name/,
  })
})

test('a masked address shows its first character and its domain', (t) => {
  t.is(EmailAddress.mask(EmailAddress.parse('alice@example.com')), 'a•••@example.com')
  t.is(EmailAddress.mask(EmailAddress.parse('a@example.com')), 'a•••@example.com')
})

for (const [one, other, same] of [
  ['alice@example.com', 'alice@example.com', true],
  ['alice@example.com', 'alice@EXAMPLE.com', true],
  ['alice@Mail.Example.COM', 'alice@mAIL.eXAMPLE.com', true],
  ['alice@bücher.example', 'alice@XN--BCHER-KVA.EXAMPLE', true],
  ['alice@bücher.example', 'alice@Bu\u0308cher.example', true],
  ['alice@straße.example', 'alice@strasse.example', false],
  ['alice@example.com', 'Alice@example.com', true],
  ['ALICE@EXAMPLE.COM', 'alice@example.com', true],
  ['alice+bank@example.com', 'ALICE+Bank@example.com', true],
  // Only the host knows whether these are one mailbox.
  ['alice@example.com', 'alice+bank@example.com', false],
  ['alice.smith@gmail.com', 'alicesmith@gmail.com', false],
  ['alice@gmail.com', 'alice@googlemail.com', false],
  ['alice@example.com', 'alice@example.org', false],
  ['alice@example.com', 'alice@mail.example.com', false],
] as const) {
  test(`mail to ${one} and to ${other} goes to ${same ? 'one mailbox' : 'two mailboxes'}`, (t) => {
    t.is(EmailAddress.isSameMailbox(EmailAddress.parse(one), EmailAddress.parse(other)), same)
  })
}

test('the key of a mailbox is its address in lower case', (t) => {
  t.is<string, string>(
    EmailAddress.mailboxKey(EmailAddress.parse('Alice+Bank@Mail.Example.COM')),
    'alice+bank@mail.example.com',
  )
})

for (const text of [
  'Alice@Example.com',
  'alice@example.com.',
  '"Alice"@example.com',
  '"al\\ice"@EXAMPLE.com.',
  'alice@ｅｘａｍｐｌｅ.com',
]) {
  test(`a mail system that reports ${text} means the mailbox alice@example.com`, (t) => {
    t.is<string | undefined, string>(EmailAddress.mailboxNamed(text), 'alice@example.com')
  })
}

for (const text of [
  '',
  'alice',
  '"alice smith"@example.com',
  '"alice@example.com',
  'alice@example.com..',
  '""@example.com',
  'alice@example.com\u0000',
  '\udc00@example.com',
]) {
  test(`a mail system that reports ${JSON.stringify(text)} means no mailbox of ours`, (t) => {
    t.is(EmailAddress.mailboxNamed(text), undefined)
  })
}
