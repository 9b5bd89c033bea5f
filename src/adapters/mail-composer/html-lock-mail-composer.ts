import type { LockMailComposer, LockWarning } from '../../application/ports/lock-mail-composer.ts'
import type { MailMessage } from '../../application/ports/mail-transport.ts'
import { greeting } from './greeting.ts'
import type { LetterSettings } from './html-otp-mail-composer.ts'
import { type LockLetter, lockHtml, lockText } from './lock-letter.ts'
import { Readers } from './reader.ts'
import { createWordings, type Language, type Wording } from './wording.ts'

/** Writes the mail that warns of a lock and says when it ends, in the reader's language. */
export class HtmlLockMailComposer implements LockMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<Language, Wording>
  readonly #text: (letter: LockLetter) => string
  readonly #html: (letter: LockLetter) => string

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ brand, timeZone }: Omit<LetterSettings, 'appHost'>) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(createWordings().map((wording) => [wording.language, wording]))
    this.#text = lockText(brand.name)
    this.#html = lockHtml(brand)
    for (const locale of this.#wordings.keys()) {
      for (const reportUrl of [undefined, '']) this.compose({ lockedUntil: new Date(0), locale, reportUrl })
    }
  }

  compose({
    lockedUntil,
    locale,
    displayName,
    reportUrl,
  }: LockWarning): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    const reader = this.#readers.of(locale)
    const wording = this.#wordings.get(reader.language)!
    const until = reader.instant(lockedUntil)
    const letter = { wording, greeting: greeting(wording, displayName), until, reportUrl }
    return { subject: wording.lock.subject, text: this.#text(letter), html: this.#html(letter) }
  }
}
