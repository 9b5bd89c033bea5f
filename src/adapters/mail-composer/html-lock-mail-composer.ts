import type { LockMailComposer, LockWarning } from '../../application/ports/lock-mail-composer.ts'
import type { ComposedMail } from '../../application/ports/mail-transport.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import { greeting } from './greeting.ts'
import type { LetterSettings } from './html-otp-mail-composer.ts'
import { type LockLetter, lockHtml, lockText } from './lock-letter.ts'
import { PerBrand } from './per-brand.ts'
import { Readers } from './reader.ts'
import { createWordings, type Wording } from './wording.ts'

/** Writes the mail that warns of a lock and says when it ends, in the reader's language. */
export class HtmlLockMailComposer implements LockMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<MailLanguage, Wording>
  readonly #bodies: PerBrand<{ text(letter: LockLetter): string; html(letter: LockLetter): string }>

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ timeZone, ...brands }: Omit<LetterSettings, 'appHost'>) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.#bodies = new PerBrand(brands, (brand) => ({ text: lockText(brand.name), html: lockHtml(brand) }))
    for (const locale of this.#wordings.keys()) this.compose({ lockedUntil: new Date(0), locale })
  }

  compose({ clientId, lockedUntil, locale, displayName }: LockWarning): ComposedMail {
    const { brand, made } = this.#bodies.of(clientId)
    const reader = this.#readers.of(locale, brand.languages)
    const wording = this.#wordings.get(reader.language)!
    const letter = { wording, greeting: greeting(wording, displayName), until: reader.instant(lockedUntil) }
    return {
      sender: brand.sender,
      subject: wording.lock.subject,
      text: made.text(letter),
      html: made.html(letter),
    }
  }
}
