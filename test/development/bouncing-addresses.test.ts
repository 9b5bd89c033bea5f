import test from 'ava'
import { MailRefused, MailUnavailable } from '../../src/application/ports/mail-transport.ts'
import { BouncingAddresses } from '../../src/development/bouncing-addresses.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'
import { until } from '../journeys/client.ts'

const NOBODY = EmailAddress.parse('nobody@bounce.example')

function bouncing() {
  const mailbox = new InMemoryMailTransport()
  const heard: string[] = []
  const transport = new BouncingAddresses(mailbox, async (issuanceId) => void heard.push(issuanceId))
  return { mailbox, heard, transport }
}

mailTransportContract('mailbox with bouncing addresses', async () => {
  const { mailbox, transport } = bouncing()
  return {
    transport,
    arrived: async () => mailbox.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      mailbox.mode = 'unavailable'
    },
    recover: async () => {
      mailbox.mode = 'taking'
    },
  }
})

test('a mail to bounce.example is taken, arrives nowhere, and is heard to have bounced, once', async (t) => {
  const { mailbox, heard, transport } = bouncing()
  const mail = otpMail({ to: NOBODY })

  t.is((await transport.send(mail)).transport, 'mailbox')
  t.deepEqual(heard, [])
  await until(
    async () => heard,
    ({ length }) => length > 0,
  )

  t.deepEqual(heard, [mail.id])
  t.deepEqual(mailbox.sent, [])
})

for (const to of ['nobody@sub.bounce.example', 'nobody@bounce.example.com', 'bounce.example@example.com']) {
  test(`a mail to ${to} arrives`, async (t) => {
    const { mailbox, transport } = bouncing()

    await transport.send(otpMail({ to: EmailAddress.parse(to) }))

    t.is(mailbox.sent.length, 1)
  })
}

test('a warning of a lock to bounce.example is of no issuance that could bounce', async (t) => {
  const { heard, mailbox, transport } = bouncing()

  await transport.send(otpMail({ to: NOBODY, kind: 'lock-notice' }))
  const last = otpMail({ to: NOBODY })
  await transport.send(last)
  await until(
    async () => heard,
    ({ length }) => length > 0,
  )

  t.deepEqual(heard, [last.id])
  t.deepEqual(mailbox.sent, [])
})

test('two recipients are refused, bouncing or not', async (t) => {
  const { transport } = bouncing()

  await t.throwsAsync(transport.send(otpMail({ to: `a@example.com,${NOBODY}` as EmailAddress })), {
    instanceOf: MailRefused,
  })
})

test('nothing bounces any more once it is closed, and nothing is taken', async (t) => {
  const { heard, transport } = bouncing()
  await transport.send(otpMail({ to: NOBODY }))
  await transport.close()

  await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailUnavailable })
  await t.throwsAsync(transport.send(otpMail({ to: NOBODY })), { instanceOf: MailUnavailable })
  t.deepEqual(heard, [])
})
