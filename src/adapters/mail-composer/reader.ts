import type { Brand } from '../../domain/brand.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import { isLanguage } from './wording.ts'

/** The person who reads a mail: in which of our languages, and how their country writes an instant. */
export interface Reader {
  readonly language: MailLanguage
  instant(at: Date): string
}

/** The region whose formats are used if the reader's tag has none. For Arabic the formats do not depend on one. */
const HOME: Readonly<Record<MailLanguage, string>> = {
  en: 'en-GB',
  de: 'de-DE',
  fr: 'fr-FR',
  es: 'es-ES',
  nl: 'nl-NL',
  pt: 'pt-PT',
  ar: 'ar',
  it: 'it-IT',
  pl: 'pl-PL',
  cs: 'cs-CZ',
  sv: 'sv-SE',
  da: 'da-DK',
  fi: 'fi-FI',
  el: 'el-GR',
  hu: 'hu-HU',
  ro: 'ro-RO',
  uk: 'uk-UA',
}

/** Creating a formatter takes tens of microseconds. Keeping one takes kilobytes. */
const KEPT_READERS = 64

export class Readers {
  readonly #timeZone: string
  readonly #readers = new Map<string, Reader>()

  /** @param timeZone IANA name. Nobody knows where the readers are, so every time shows the zone's short name. */
  constructor(timeZone: string) {
    this.#timeZone = timeZone
  }

  /**
   * Returns the reader for this language tag (BCP 47). Only language and region count: the rest of a tag could ask for
   * digits or a calendar that the code and the operation do not use.
   *
   * @param languages those that mails may be in. The first is for readers of any other.
   */
  of(tag: string | undefined, languages?: Brand['languages']): Reader {
    const asked = parsed(tag)
    const { region } = asked
    const language = languages && !languages.includes(asked.language) ? languages[0] : asked.language
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

function parsed(tag: string | undefined): { language: MailLanguage; region?: string | undefined } {
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
