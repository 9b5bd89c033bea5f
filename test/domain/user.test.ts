import test from 'ava'
import { EmailAddressMalformed } from '../../src/domain/email-address.ts'
import { User, UserMalformed } from '../../src/domain/user.ts'
import { ALICE } from './examples.ts'

const ENTRY = { userId: 'alice', email: 'alice@example.com' }

test('a user is kept as given, but for blanks around the name', (t) => {
  t.deepEqual(User.parse({ ...ENTRY, locale: 'de-AT', displayName: '  Alice Müller ' }), {
    userId: 'alice',
    email: ALICE,
    locale: 'de-AT',
    displayName: 'Alice Müller',
  })
  t.deepEqual(User.parse(ENTRY), { ...ENTRY, email: ALICE, locale: undefined, displayName: undefined })
})

for (const userId of ['a', '~', 'a b', 'a'.repeat(255), 'auth0|5f7c8ec7c33c6c004bbafe82']) {
  test(`${JSON.stringify(userId)} names a user`, (t) => {
    t.is(User.parse({ ...ENTRY, userId }).userId, userId)
  })
}

for (const locale of ['de', 'de-AT', 'zh-Hant-TW', 'es-419', 'de-CH-x-phonebk', `en-${'a1-'.repeat(10)}ab`]) {
  test(`${locale} is a language tag`, (t) => {
    t.is(User.parse({ ...ENTRY, locale }).locale, locale)
  })
}

for (const displayName of ['A', 'n'.repeat(100), 'علي', 'Ng Ai-Li (黃愛麗)']) {
  test(`${displayName} is a name`, (t) => {
    t.is(User.parse({ ...ENTRY, displayName }).displayName, displayName)
  })
}

for (const [field, ...values] of [
  ['userId', '', ' alice', 'alice ', 'a\nb', 'älice', 'a'.repeat(256)],
  [
    'locale',
    '',
    'd',
    'de_AT',
    'de-',
    'de-ä',
    '-de',
    'de-AT ',
    'abcdefghi',
    'de-abcdefghi',
    `en-${'a1-'.repeat(10)}abc`,
  ],
  ['displayName', '', '   ', 'a\nb', 'a\u2028b', '\ud800', 'a\u0000', '\u0000a', 'n'.repeat(101)],
] as const) {
  for (const value of values) {
    test(`${JSON.stringify(value)} as ${field} is refused by name, and not repeated in the error`, (t) => {
      const error = t.throws(() => User.parse({ ...ENTRY, [field]: value }), {
        instanceOf: UserMalformed,
        code: 'user-malformed',
      })

      t.is(error.field, field)
      t.false(value.length > 1 && error.message.includes(value))
    })
  }
}

test('a user has one plain address', (t) => {
  t.throws(() => User.parse({ ...ENTRY, email: 'alice@example.com, mallory@example.com' }), {
    instanceOf: EmailAddressMalformed,
  })
})
