import type { Wording } from './wording.ts'

export const ENGLISH: Wording = {
  language: 'en-GB',
  direction: 'ltr',
  subject: (reference) => `Your confirmation code (${reference})`,
  title: 'Read first, then confirm',
  greeting: (name) => (name === undefined ? 'Hello,' : `Hello ${name},`),
  introduction:
    'You are asked to confirm the following. Please read every line: the code below confirms exactly this and nothing else.',
  codeLabel: 'Your confirmation code',
  mark: (reference) => `mark ${reference}`,
  validity: (until, lifetime) => `Valid for ${lifetime}, until ${until}.`,
  usage: (reference) =>
    `Enter it only where you started, next to the mark ${reference}. If you have several of these mails, only the newest code works.`,
  warningTitle: 'Not you, or not exactly this?',
  warning:
    'Do not use the code, and do not give it to anybody. Without it nothing happens. If you did not ask for this, somebody may know your password: change it, and contact us the way you always do.',
  footer:
    'We never ask for this code by phone, chat or mail. There are no links in this mail, and it needs no answer.',
}
