import test from 'ava'
import { MailRefused } from '../../src/application/ports/mail-transport.ts'
import { mailTransportContract, otpMail } from '../contracts/mail-transport.contract.ts'
import { InMemoryMailTransport } from '../doubles/in-memory-mail-transport.ts'

mailTransportContract('in memory', async () => {
  const transport = new InMemoryMailTransport()
  return {
    transport,
    arrived: async () => transport.sent.map(({ to, subject, text, html }) => ({ to, subject, text, html })),
    fail: async () => {
      transport.mode = 'unavailable'
    },
    recover: async () => {
      transport.mode = 'taking'
    },
  }
})

test('in memory: a transport told to refuse refuses for good', async (t) => {
  const transport = new InMemoryMailTransport()
  transport.mode = 'refusing'

  await t.throwsAsync(transport.send(otpMail()), { instanceOf: MailRefused })
  t.deepEqual(transport.sent, [])
})
