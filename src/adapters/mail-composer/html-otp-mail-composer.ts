import type { MailMessage } from '../../application/ports/mail-transport.ts'
import type { OtpMailComposer, OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import type { Brand } from './brand.ts'
import { htmlBody } from './html-body.ts'
import { type OtpLetter, otpLetter } from './otp-letter.ts'
import { Readers } from './reader.ts'
import { textBody } from './text-body.ts'
import { createWordings, type Language, type Wording } from './wording.ts'

export interface LetterSettings {
  readonly brand: Brand
  /** The IANA name of the time zone that mails show times in. */
  readonly timeZone: string
  /** The host of the app that users type codes into. */
  readonly appHost: string | undefined
}

/** Composed once for each language at start, to find an incomplete template. */
const SPECIMEN: OtpNotice = {
  code: '',
  reference: '',
  summary: [{ label: '', value: '' }],
  issuedAt: new Date(0),
  expiresAt: new Date(0),
}

/** Writes the mail that carries a code: fixed words in the reader's language, with the details of one notice. */
export class HtmlOtpMailComposer implements OtpMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<Language, Wording>
  readonly #text: (letter: OtpLetter) => string
  readonly #html: (letter: OtpLetter) => string

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ brand, timeZone, appHost }: LetterSettings) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.#text = textBody(brand.name, appHost)
    this.#html = htmlBody(brand)
    for (const locale of this.#wordings.keys()) {
      for (const reportUrl of [undefined, '']) this.compose({ ...SPECIMEN, locale, reportUrl })
    }
  }

  compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    const reader = this.#readers.of(notice.locale)
    const wording = this.#wordings.get(reader.language)!
    const letter = otpLetter(notice, wording, reader.instant(notice.expiresAt))
    return { subject: letter.subject, text: this.#text(letter), html: this.#html(letter) }
  }
}
