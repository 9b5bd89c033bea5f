import { SpanKind } from '@opentelemetry/api'
import type { MailMessage, MailReceipt, MailTransport } from '../../application/ports/mail-transport.ts'
import type { Spans } from './spans.ts'

/** Makes a span for each mail offered to one mail system. The mail system does not receive the trace context. */
export class TracedMailTransport implements MailTransport {
  readonly #name: string
  readonly #transport: MailTransport
  readonly #spans: Spans

  constructor(name: string, transport: MailTransport, spans: Spans) {
    this.#name = name
    this.#transport = transport
    this.#spans = spans
  }

  send(message: MailMessage): Promise<MailReceipt> {
    const attributes = {
      'countersign.mail.transport': this.#name,
      [message.kind === 'otp' ? 'countersign.issuance_id' : 'countersign.lock_notice_id']: message.id,
    }
    return this.#spans.within('hand over mail', { kind: SpanKind.CLIENT, attributes }, () =>
      this.#transport.send(message),
    )
  }

  close(): Promise<void> {
    return this.#transport.close()
  }
}
