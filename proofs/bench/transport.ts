import { randomUUID } from 'node:crypto'
import { HtmlOtpMailComposer } from '../../src/adapters/mail-composer/html-otp-mail-composer.ts'
import { SmtpMailTransport } from '../../src/adapters/mail-smtp/smtp-mail-transport.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { operation } from './countersign.ts'

/* Sends the service's mails to an SMTP server as fast as the transport can, and prints how many a second. */

const [, , url = '', count = '10000'] = process.argv
/** As many as a deliverer sends at the same time. */
const CONCURRENCY = 50

const letter = {
  brand: { name: 'Bench', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
  appHost: undefined,
}
const composer = new HtmlOtpMailComposer(letter)
const transport = new SmtpMailTransport({ url, from: 'Bench <no-reply@bank.example>' })
let next = 0
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
await transport.close()
process.stdout.write(String(Number(count) / seconds))
