import {
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../../src/application/ports/mail-transport.ts'
import type { MailMessage } from '../../src/application/ports/otp-mail-composer.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'

/** Keeps what it is given to send, and does as it is told. */
export class InMemoryMailTransport implements MailTransport {
  readonly sent: MailMessage[] = []
  mode: 'taking' | 'refusing' | 'unavailable' = 'taking'

  async send(message: MailMessage) {
    if (this.mode === 'unavailable') throw new MailUnavailable('Told to be unavailable')
    if (this.mode === 'refusing' || !isPlain(message.to)) throw new MailRefused('Told to refuse')
    this.sent.push(message)
    return { messageId: `m-${this.sent.length}` }
  }

  async close() {
    this.mode = 'unavailable'
  }
}

function isPlain(to: string): boolean {
  try {
    return EmailAddress.parse(to) === to
  } catch {
    return false
  }
}
