import type { ComposedMail } from '../../application/ports/mail-transport.ts'
import type { SecurityMailComposer, SecurityNews } from '../../application/ports/security-mail-composer.ts'
import type { SecurityNoticeKind } from '../../domain/domain-event.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import { greeting } from './greeting.ts'
import type { LetterSettings } from './html-otp-mail-composer.ts'
import { type LockLetter, lockHtml, lockText } from './lock-letter.ts'
import { PerBrand } from './per-brand.ts'
import { Readers } from './reader.ts'
import { createWordings, type Wording } from './wording.ts'

const KINDS: readonly SecurityNoticeKind[] = [
  'address-changed',
  'address-removed',
  'operation-mismatch',
  'subject-unlocked',
]

/** Writes the mails of security notices in the reader's language, as letters like that about a lock. */
export class HtmlSecurityMailComposer implements SecurityMailComposer {
  readonly #readers: Readers
  readonly #wordings: ReadonlyMap<MailLanguage, Readonly<Record<SecurityNoticeKind, Wording>>>
  readonly #bodies: PerBrand<{ text(letter: LockLetter): string; html(letter: LockLetter): string }>

  /** @throws {Error} at start, before any mail, if the template or a language is incomplete. */
  constructor({ timeZone, ...brands }: Omit<LetterSettings, 'appHost'>) {
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
    this.#bodies = new PerBrand(brands, (brand) => ({ text: lockText(brand.name), html: lockHtml(brand) }))
    for (const locale of this.#wordings.keys()) {
      for (const kind of KINDS) this.compose({ kind, happenedAt: new Date(0), locale })
    }
  }

  compose({ clientId, kind, happenedAt, locale, displayName }: SecurityNews): ComposedMail {
    const { brand, made } = this.#bodies.of(clientId)
    const reader = this.#readers.of(locale, brand.languages)
    const wording = this.#wordings.get(reader.language)![kind]
    const letter = { wording, greeting: greeting(wording, displayName), until: reader.instant(happenedAt) }
    return {
      sender: brand.sender,
      subject: wording.lock.subject,
      text: made.text(letter),
      html: made.html(letter),
    }
  }
}
