import { randomUUID } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { HtmlOtpMailComposer } from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { SmtpMailTransport } from '../../src/adapters/mail-smtp/smtp-mail-transport.ts'
import type { MailMessage } from '../../src/application/ports/mail-transport.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { operation } from './countersign.ts'

/*
 * Sends the service's mails to an SMTP server as fast as a transport can. Prints as JSON how many a second, and the CPU of its thread
 * in ms for 1,000 mails. The transport is that of the service, or `nodemailer`: that package alone, which also writes the content.
 */

const [, , url = '', count = '10000', kind = 'service'] = process.argv
/** As many as a deliverer sends at the same time. */
const CONCURRENCY = 50
const FROM = 'Bench <no-reply@bank.example>'

const letter = {
  brand: { name: 'Bench', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: undefined,
}
const composer = new HtmlOtpMailComposer(letter)
const transport = kind === 'nodemailer' ? nodemailerAlone() : new SmtpMailTransport({ url, from: FROM })
let next = 0
const cpuBefore = process.threadCpuUsage()
const startedAt = performance.now()
await Promise.all(
  Array.from({ length: CONCURRENCY }, async () => {
    for (let n = next++; n < Number(count); n = next++) {
      const issuedAt = new Date()
      const expiresAt = new Date(issuedAt.getTime() + 300_000)
      const notice = {
        code: '042917',
        reference: 'QK',
        summary: operation(n).summary,
        issuedAt,
        expiresAt,
        locale: 'en',
        displayName: undefined,
      }
      const to = `user-${n}@example.com` as EmailAddress
      await transport.send({ id: randomUUID(), kind: 'otp', expiresAt, to, ...composer.compose(notice) })
    }
  }),
)
const seconds = (performance.now() - startedAt) / 1000
const { user, system } = process.threadCpuUsage(cpuBefore)
await transport.close()
process.stdout.write(
  JSON.stringify({ perSecond: Number(count) / seconds, cpu: (user + system) / Number(count) }),
)

function nodemailerAlone() {
  const { hostname: host, port } = new URL(url)
  const mailer = createTransport({ pool: true, host, port: Number(port), ignoreTLS: true })
  return {
    send: ({ id, to, subject, text, html }: MailMessage) =>
      mailer.sendMail({ from: FROM, to, subject, text, html, messageId: `<${id}@bank.example>` }),
    close: async () => mailer.close(),
  }
}
