/** The languages that the mails exist in. */
export const MAIL_LANGUAGES = [
  'en',
  'de',
  'fr',
  'es',
  'nl',
  'pt',
  'ar',
  'it',
  'pl',
  'cs',
  'sv',
  'da',
  'fi',
  'el',
  'hu',
  'ro',
  'uk',
] as const

export type MailLanguage = (typeof MAIL_LANGUAGES)[number]
