import {
  type MailMessage,
  MailOutcomeUnknown,
  MailRefused,
  type MailTransport,
  MailUnavailable,
  RecipientSuppressed,
} from '../../src/application/ports/mail-transport.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'

/** Keeps the mails that it sends, and fails in the way that a test has set. */
export class InMemoryMailTransport implements MailTransport {
  readonly sent: MailMessage[] = []
  mode: 'taking' | 'refusing' | 'suppressing' | 'unavailable' | 'silent' = 'taking'

  async send(message: MailMessage) {
    if (this.mode === 'unavailable')
      throw new MailUnavailable('The test made it unavailable', { reply: 'memory 451' })
    if (this.mode === 'silent') throw new MailOutcomeUnknown('The test made it silent')
    if (this.mode === 'suppressing') throw new RecipientSuppressed('The test suppressed the recipient')
    if (this.mode === 'refusing' || !isPlain(message.to))
      throw new MailRefused('The test made it refuse', { reply: 'memory 550' })
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
