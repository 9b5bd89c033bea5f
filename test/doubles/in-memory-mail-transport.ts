import {
  type MailMessage,
  MailOutcomeUnknown,
  MailRefused,
  type MailTransport,
  MailUnavailable,
  RecipientSuppressed,
} from '../../src/application/ports/mail-transport.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'

/** Keeps what it is given to send, and does as it is told. */
export class InMemoryMailTransport implements MailTransport {
  readonly sent: MailMessage[] = []
  mode: 'taking' | 'refusing' | 'suppressing' | 'unavailable' | 'silent' = 'taking'

  async send(message: MailMessage) {
    if (this.mode === 'unavailable') throw new MailUnavailable('Told to be unavailable')
    if (this.mode === 'silent') throw new MailOutcomeUnknown('Told not to say')
    if (this.mode === 'suppressing') throw new RecipientSuppressed('Told to send nothing there')
    if (this.mode === 'refusing' || !isPlain(message.to)) throw new MailRefused('Told to refuse')
    this.sent.push(message)
    return { transport: 'memory', messageId: `m-${this.sent.length}` }
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
