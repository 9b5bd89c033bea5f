import test from 'ava'
import { MailRefused, messageIdOf, soleRecipient } from '../../../src/application/ports/mail-transport.ts'
import type { EmailAddress } from '../../../src/domain/email-address.ts'
import { ALICE } from '../../domain/examples.ts'

test('one plain address is a sole recipient', (t) => {
  t.is(soleRecipient(ALICE), ALICE)
})

for (const forged of [
  'alice@example.com, mallory@example.com',
  'alice@example.com\r\nBcc: mallory@example.com',
]) {
  test(`${JSON.stringify(forged)} is refused at the last door, and not repeated in the error`, (t) => {
    const error = t.throws(() => soleRecipient(forged as EmailAddress), { instanceOf: MailRefused })

    t.regex(error.message, /recipient/)
    t.notRegex(error.message, /example/)
  })
}

test('the Message-ID of a mail is its id at the domain of its sender', (t) => {
  t.is(messageIdOf('m-1', 'bank.example'), '<m-1@bank.example>')
})
