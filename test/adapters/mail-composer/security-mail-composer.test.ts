import { readdirSync } from 'node:fs'
import test from 'ava'
import { HtmlSecurityMailComposer } from '../../../src/adapters/mail-composer/html-security-mail-composer.ts'
import { afterNoon } from '../../domain/examples.ts'

const LANGUAGES = readdirSync(new URL('../../../src/adapters/mail-composer/languages', import.meta.url)).map(
  (file) => file.replace('.json', ''),
)
const composer = new HtmlSecurityMailComposer({
  brand: { name: 'Countersign', color: '#0f4c5c', logoUrl: undefined },
  timeZone: 'UTC',
})
const KINDS = ['address-changed', 'address-removed', 'operation-mismatch', 'subject-unlocked'] as const
const compose = (kind: (typeof KINDS)[number], locale = 'en') =>
  composer.compose({ kind, happenedAt: afterNoon(60), locale, displayName: 'Alice Smith' })

test('the mail to an old address says what changed, when, and what to do in either case', (t) => {
  t.is(
    compose('address-changed').text,
    `Countersign

Your e-mail address was changed

Hello Alice Smith,

Another e-mail address was entered for your
confirmations. This address gets no more codes.
Whatever waited for a confirmation was cancelled.

When

        1 January 2030 at 12:01:00 UTC

Was that you?
Then there is nothing to do.

Was that not you?
Then somebody may be using your account: contact us at
once, the way you always do.

We never ask for a code by phone, chat or mail. There
are no links in this mail, and it needs no answer.`,
  )
})

test('the mail to an erased address says that it was removed, and not that there is another', (t) => {
  const { subject, text } = compose('address-removed')

  t.is(subject, 'Your e-mail address was removed')
  t.regex(text, /Your e-mail address for confirmations was removed\./)
  t.notRegex(text, /Another/)
})

test('the mail about another operation says that nothing was carried out', (t) => {
  t.regex(compose('operation-mismatch').text, /Nothing was\s+carried out/)
})

test('the mail about an unlocking says that somebody asked for it in the reader’s name', (t) => {
  t.regex(compose('subject-unlocked').text, /somebody\s+asked\s+for\s+that\s+in\s+your\s+name/)
})

for (const language of LANGUAGES) {
  for (const kind of KINDS) {
    test(`in ${language}, the mail about ${kind} is in its own words, has a short subject, no code and no address`, (t) => {
      const { subject, text, html } = compose(kind, language)

      t.true(subject.length <= 60, subject)
      t.is(language === 'en', subject === compose(kind).subject)
      t.true(text.length > 200)
      t.notRegex(text + subject, /\b\d{6}\b|@|https?:/)
      t.notRegex(html, /<a\b/)
    })
  }
}
