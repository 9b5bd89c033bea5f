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
  /** IANA name of the zone that times are written in. */
  readonly timeZone: string
  /** Host of the app that the codes are typed into. */
  readonly appHost: string | undefined
}

/** Any notice will do. */
const SPECIMEN: OtpNotice = {
  code: '',
  reference: '',
  summary: [{ label: '', value: '' }],
  issuedAt: new Date(0),
  expiresAt: new Date(0),
}

/** Fills the details of a notice into a mail of fixed words, in the reader's language. */
export class HtmlOtpMailComposer implements OtpMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<Language, Wording>
  readonly #text: (letter: OtpLetter) => string
  readonly #html: (letter: OtpLetter) => string

  /** @throws {Error} if the template or a language is incomplete, before there is a mail to send. */
  constructor({ brand, timeZone, appHost }: LetterSettings) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.#text = textBody(brand.name, appHost)
    this.#html = htmlBody(brand)
    for (const locale of this.#wordings.keys()) this.compose({ ...SPECIMEN, locale })
  }

  compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    const reader = this.#readers.of(notice.locale)
    const wording = this.#wordings.get(reader.language)!
    const letter = otpLetter(notice, wording, reader.instant(notice.expiresAt))
    return { subject: letter.subject, text: this.#text(letter), html: this.#html(letter) }
  }
}
