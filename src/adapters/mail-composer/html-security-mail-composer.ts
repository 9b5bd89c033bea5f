import type { MailMessage } from '../../application/ports/mail-transport.ts'
import type { SecurityMailComposer, SecurityNews } from '../../application/ports/security-mail-composer.ts'
import type { SecurityNoticeKind } from '../../domain/domain-event.ts'
import { greeting } from './greeting.ts'
import type { LetterSettings } from './html-otp-mail-composer.ts'
import { type LockLetter, lockHtml, lockText } from './lock-letter.ts'
import { Readers } from './reader.ts'
import { createWordings, type Language, type Wording } from './wording.ts'

const KINDS: readonly SecurityNoticeKind[] = [
  'address-changed',
  'address-removed',
  'operation-mismatch',
  'subject-unlocked',
]

/** Writes the mails of security notices in the reader's language, as letters like that about a lock. */
export class HtmlSecurityMailComposer implements SecurityMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<Language, Readonly<Record<SecurityNoticeKind, Wording>>>
  readonly #text: (letter: LockLetter) => string
  readonly #html: (letter: LockLetter) => string

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ brand, timeZone }: Omit<LetterSettings, 'appHost'>) {
    this.#readers = new Readers(timeZone)
    this.#wordings = new Map(
      createWordings().map((wording) => [
        wording.language,
        {
          'address-changed': { ...wording, lock: wording.notices['address-changed'] },
          'address-removed': { ...wording, lock: wording.notices['address-removed'] },
          'operation-mismatch': { ...wording, lock: wording.notices['operation-mismatch'] },
          'subject-unlocked': { ...wording, lock: wording.notices['subject-unlocked'] },
        },
      ]),
    )
    this.#text = lockText(brand.name)
    this.#html = lockHtml(brand)
    for (const locale of this.#wordings.keys()) {
      for (const kind of KINDS) this.compose({ kind, happenedAt: new Date(0), locale })
    }
  }

  compose({
    kind,
    happenedAt,
    locale,
    displayName,
  }: SecurityNews): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    const reader = this.#readers.of(locale)
    const wording = this.#wordings.get(reader.language)![kind]
    const letter = { wording, greeting: greeting(wording, displayName), until: reader.instant(happenedAt) }
    return { subject: wording.lock.subject, text: this.#text(letter), html: this.#html(letter) }
  }
}
