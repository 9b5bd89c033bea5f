import { createInstance, type TFunction } from 'i18next'
import type { SecurityNoticeKind } from '../../domain/domain-event.ts'
import type { MailLanguage } from '../../domain/mail-language.ts'
import ar from './languages/ar.json' with { type: 'json' }
import cs from './languages/cs.json' with { type: 'json' }
import da from './languages/da.json' with { type: 'json' }
import de from './languages/de.json' with { type: 'json' }
import el from './languages/el.json' with { type: 'json' }
import en from './languages/en.json' with { type: 'json' }
import es from './languages/es.json' with { type: 'json' }
import fi from './languages/fi.json' with { type: 'json' }
import fr from './languages/fr.json' with { type: 'json' }
import hu from './languages/hu.json' with { type: 'json' }
import it from './languages/it.json' with { type: 'json' }
import nl from './languages/nl.json' with { type: 'json' }
import pl from './languages/pl.json' with { type: 'json' }
import pt from './languages/pt.json' with { type: 'json' }
import ro from './languages/ro.json' with { type: 'json' }
import sv from './languages/sv.json' with { type: 'json' }
import uk from './languages/uk.json' with { type: 'json' }
import { subjectMark } from './subject-mark.ts'

/** The words of the mails in one language. All of them are ours. They never contain details of the operation. */
export interface Wording {
  readonly language: MailLanguage
  readonly direction: 'ltr' | 'rtl'
  readonly title: string
  readonly introduction: string
  readonly codeLabel: string
  readonly warningTitle: string
  readonly warning: string
  readonly footer: string
  subject(reference: string): string
  /** @param name a person's name, or undefined without a name that is safe to show. */
  greeting(name: string | undefined): string
  mark(reference: string): string
  /** Rounded down, so that it never promises more time than remains. */
  validity(seconds: number, until: string): string
  usage(reference: string): string
  readonly lock: LockWording
  /** The words of each security notice. Its letter is that about a lock, with a time in the place of its end. */
  readonly notices: Readonly<Record<SecurityNoticeKind, LockWording>>
}

/** The words that only the mail about a lock uses. */
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

const RESOURCES: Readonly<Record<MailLanguage, object>> = {
  ...{ en, de, fr, es, nl, pt, ar, it, pl, cs, sv, da, fi, el, hu, ro, uk },
}

export function isLanguage(text: string): text is MailLanguage {
  return Object.hasOwn(RESOURCES, text)
}

/** @throws {Error} from any method of a wording, if a language lacks a text or a text lacks a value. */
export function createWordings(): readonly Wording[] {
  const i18n = createInstance({
    resources: Object.fromEntries(
      Object.entries(RESOURCES).map(([language, translation]) => [language, { translation }]),
    ),
    fallbackLng: false,
    initAsync: false,
    // The HTML template escapes. A subject and a plain text must not be escaped.
    interpolation: { escapeValue: false },
    parseMissingKeyHandler: (key: string) => {
      throw new Error(`a language has no text for ${key}`)
    },
    missingInterpolationHandler: (text: string) => {
      throw new Error(`no value for a placeholder in: ${text}`)
    },
  })
  i18n.init()
  return Object.keys(RESOURCES)
    .filter(isLanguage)
    .map((language) => wording(language, i18n.dir(language), i18n.getFixedT(language)))
}

function wording(language: MailLanguage, direction: 'ltr' | 'rtl', t: TFunction): Wording {
  const subjectWords = t('subject', { reference: '' })
  return {
    language,
    direction,
    title: t('title'),
    introduction: t('introduction'),
    codeLabel: t('codeLabel'),
    warningTitle: t('warningTitle'),
    warning: t('warning'),
    footer: t('footer'),
    subject: (reference) => t('subject', { reference: subjectMark(subjectWords, reference) }),
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
    notices: {
      'address-changed': noticeWording(t, t('addressSubject'), t('addressTitle'), t('addressExplanation')),
      'address-removed': noticeWording(t, t('removedSubject'), t('removedTitle'), t('removedExplanation')),
      'operation-mismatch': noticeWording(
        t,
        t('mismatchSubject'),
        t('mismatchTitle'),
        t('mismatchExplanation'),
      ),
      'subject-unlocked': noticeWording(t, t('unlockSubject'), t('unlockTitle'), t('unlockExplanation')),
    },
  }
}

function noticeWording(t: TFunction, subject: string, title: string, explanation: string): LockWording {
  return {
    ...{ subject, title, explanation },
    untilLabel: t('noticeWhen'),
    ownTitle: t('lockOwnTitle'),
    own: t('noticeOwn'),
    warningTitle: t('lockWarningTitle'),
    warning: t('noticeWarning'),
    footer: t('lockFooter'),
  }
}
