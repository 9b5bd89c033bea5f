import type { ComposedMail } from '../../application/ports/mail-transport.ts'
import type { OtpMailComposer, OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import { htmlBody } from './html-body.ts'
import { type OtpLetter, otpLetter } from './otp-letter.ts'
import { type BrandSettings, PerBrand } from './per-brand.ts'
import { Readers } from './reader.ts'
import { textBody } from './text-body.ts'
import { createWordings, type Wording } from './wording.ts'

export interface LetterSettings extends BrandSettings {
  /** The IANA name of the time zone that mails show times in. */
  readonly timeZone: string
  /** The host of the app that users of clients without a brand type codes into. */
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
  readonly #wordings: ReadonlyMap<MailLanguage, Wording>
  readonly #bodies: PerBrand<{ text(letter: OtpLetter): string; html(letter: OtpLetter): string }>

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ brand, brands, timeZone, appHost }: LetterSettings) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.#bodies = new PerBrand({ brand: { appHost, ...brand }, brands }, (each) => ({
      text: textBody(each.name, each.appHost),
      html: htmlBody(each),
    }))
    for (const locale of this.#wordings.keys()) this.compose({ ...SPECIMEN, locale })
  }

  compose(notice: OtpNotice): ComposedMail {
    const { brand, made } = this.#bodies.of(notice.clientId)
    const reader = this.#readers.of(notice.locale, brand.languages)
    const wording = this.#wordings.get(reader.language)!
    const letter = otpLetter(notice, wording, reader.instant(notice.expiresAt))
    return {
      sender: brand.sender,
      subject: letter.subject,
      text: made.text(letter),
      html: made.html(letter),
    }
  }
}
