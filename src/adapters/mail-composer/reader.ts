import { isLanguage, type Language } from './wording.ts'

/** Whom a mail is written for: in which of our languages, and how their country writes an instant. */
export interface Reader {
  readonly language: Language
  instant(at: Date): string
}

/** Where a language is at home, when the reader's tag does not say. Arabic has no one home, and needs none. */
const HOME: Readonly<Record<Language, string>> = {
  en: 'en-GB',
  de: 'de-DE',
  fr: 'fr-FR',
  es: 'es-ES',
  nl: 'nl-NL',
  pt: 'pt-PT',
  ar: 'ar',
}

/** A formatter takes tens of microseconds to make, and kilobytes to keep. */
const KEPT_READERS = 64

export class Readers {
  readonly #timeZone: string
  readonly #readers = new Map<string, Reader>()

  /** @param timeZone IANA name. Where the readers are is not known; the zone's short name is always shown. */
  constructor(timeZone: string) {
    this.#timeZone = timeZone
  }

  /**
   * The reader with this language tag (BCP 47). Language and region count. All else in a tag does not: it could ask
   * for digits or a calendar that the code and the operation are not written in.
   */
  of(tag: string | undefined): Reader {
    const { language, region } = parsed(tag)
    const locale = region === undefined ? HOME[language] : `${language}-${region}`
    const known = this.#readers.get(locale)
    if (known) return known

    const [oldest] = this.#readers.keys()
    if (oldest !== undefined && this.#readers.size >= KEPT_READERS) this.#readers.delete(oldest)
    const reader = { language, instant: instantFormat(locale, this.#timeZone) }
    this.#readers.set(locale, reader)
    return reader
  }
}

function parsed(tag: string | undefined): { language: Language; region?: string | undefined } {
  try {
    const { language, region } = new Intl.Locale(tag ?? 'en')
    return isLanguage(language) ? { language, region } : { language: 'en' }
  } catch {
    return { language: 'en' }
  }
}

function instantFormat(locale: string, timeZone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat(locale, {
    calendar: 'gregory',
    numberingSystem: 'latn',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZone,
    timeZoneName: 'short',
  })
  return (at) => format.format(at)
}
