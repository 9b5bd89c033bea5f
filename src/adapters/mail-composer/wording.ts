import { createInstance, type TFunction } from 'i18next'
import ar from './languages/ar.json' with { type: 'json' }
import de from './languages/de.json' with { type: 'json' }
import en from './languages/en.json' with { type: 'json' }
import es from './languages/es.json' with { type: 'json' }
import fr from './languages/fr.json' with { type: 'json' }
import nl from './languages/nl.json' with { type: 'json' }
import pt from './languages/pt.json' with { type: 'json' }

/** The words of the mails in one language. All of them are ours; the details of the operation are never inside them. */
export interface Wording {
  readonly language: Language
  readonly direction: 'ltr' | 'rtl'
  readonly title: string
  readonly introduction: string
  readonly codeLabel: string
  readonly warningTitle: string
  readonly warning: string
  readonly footer: string
  subject(reference: string): string
  /** @param name a person's name, or undefined if there is none that can be shown. */
  greeting(name: string | undefined): string
  mark(reference: string): string
  /** Rounded down, so that it never promises more than there is. */
  validity(seconds: number, until: string): string
  usage(reference: string): string
  readonly lock: LockWording
}

/** The words of the mail about a lock that it does not share with that of a code. */
interface LockWording {
  readonly subject: string
  readonly title: string
  readonly explanation: string
  readonly untilLabel: string
  readonly ownTitle: string
  readonly own: string
  readonly warningTitle: string
  readonly warning: string
  readonly footer: string
}

const RESOURCES = { en, de, fr, es, nl, pt, ar }

export type Language = keyof typeof RESOURCES

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(RESOURCES, text)
}

/** @throws {Error} from any of its methods, if a language lacks a word or a word lacks what goes into it. */
export function createWordings(): readonly Wording[] {
  const i18n = createInstance({
    resources: Object.fromEntries(
      Object.entries(RESOURCES).map(([language, translation]) => [language, { translation }]),
    ),
    fallbackLng: false,
    initAsync: false,
    // HTML is escaped where HTML is made; a subject and a text are not HTML.
    interpolation: { escapeValue: false },
    parseMissingKeyHandler: (key: string) => {
      throw new Error(`a language has no word for ${key}`)
    },
    missingInterpolationHandler: (text: string) => {
      throw new Error(`nothing goes into: ${text}`)
    },
  })
  i18n.init()
  return Object.keys(RESOURCES)
    .filter(isLanguage)
    .map((language) => wording(language, i18n.dir(language), i18n.getFixedT(language)))
}

function wording(language: Language, direction: 'ltr' | 'rtl', t: TFunction): Wording {
  return {
    language,
    direction,
    title: t('title'),
    introduction: t('introduction'),
    codeLabel: t('codeLabel'),
    warningTitle: t('warningTitle'),
    warning: t('warning'),
    footer: t('footer'),
    subject: (reference) => t('subject', { reference }),
    greeting: (name) => (name === undefined ? t('greeting') : t('greetingByName', { name })),
    mark: (reference) => t('mark', { reference }),
    validity: (seconds, until) =>
      seconds < 120
        ? t('validForSeconds', { count: Math.floor(seconds), until })
        : t('validForMinutes', { count: Math.floor(seconds / 60), until }),
    usage: (reference) => t('usage', { reference }),
    lock: {
      subject: t('lockSubject'),
      title: t('lockTitle'),
      explanation: t('lockExplanation'),
      untilLabel: t('lockUntilLabel'),
      ownTitle: t('lockOwnTitle'),
      own: t('lockOwn'),
      warningTitle: t('lockWarningTitle'),
      warning: t('lockWarning'),
      footer: t('lockFooter'),
    },
  }
}
