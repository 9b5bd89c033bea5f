import type { MailMessage } from '../../application/ports/mail-transport.ts'
import type { OtpMailComposer, OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import type { Spans } from './spans.ts'

/** A span for each mail that is put into words, none of which it repeats. */
export class TracedMailComposer implements OtpMailComposer {
  readonly #composer: OtpMailComposer
  readonly #spans: Spans

  constructor(composer: OtpMailComposer, spans: Spans) {
    this.#composer = composer
    this.#spans = spans
  }

  compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    return this.#spans.during('compose mail', {}, () => this.#composer.compose(notice))
  }
}
