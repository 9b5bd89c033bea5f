import test from 'ava'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress, EmailAddressMalformed } from '../../src/domain/email-address.ts'
import { LockNotice } from '../../src/domain/lock-notice.ts'
import { User, UserMalformed } from '../../src/domain/user.ts'
import { ALICE, afterNoon, NOON, openChallenge, POLICY } from './examples.ts'

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

for (const [text, locale] of [
  ['de_AT', 'de-AT'],
  ['de_AT.UTF-8', 'de-AT'],
  ['de_AT@euro', 'de-AT'],
  ['DE-at', 'de-AT'],
  ['de-AT ', 'de-AT'],
  ['zh_hant_tw', 'zh-Hant-TW'],
  ['iw', 'he'],
  ['en_GB_oed', 'en-GB-oed'],
] as const) {
  test(`the locale ${JSON.stringify(text)} is ${locale}`, (t) => {
    t.is(User.parse({ ...ENTRY, locale: text }).locale, locale)
    t.false(User.hasUnreadableLocale({ locale: text }))
  })
}

for (const locale of [
  '',
  'd',
  'C',
  'C.UTF-8',
  'de-',
  'de-ä',
  '-de',
  'de AT',
  'German, Austria',
  'de\r\nX: y',
  'de\u0000',
  'abcdefghi',
  'de-abcdefghi',
  `en-${'a1-'.repeat(10)}abc`,
  'de'.padEnd(16_384, '-AT'),
]) {
  test(`the locale ${JSON.stringify(locale.slice(0, 50))} is left out, and the user is not refused`, (t) => {
    t.deepEqual(User.parse({ ...ENTRY, locale }), {
      ...ENTRY,
      email: ALICE,
      locale: undefined,
      displayName: undefined,
    })
    t.true(User.hasUnreadableLocale({ locale }))
  })
}

test('a user without a locale has none that is unreadable', (t) => {
  t.false(User.hasUnreadableLocale({ locale: undefined }))
})

for (const displayName of ['A', 'n'.repeat(100), 'علي', 'Ng Ai-Li (黃愛麗)']) {
  test(`${displayName} is a name`, (t) => {
    t.is(User.parse({ ...ENTRY, displayName }).displayName, displayName)
  })
}

for (const [field, ...values] of [
  ['userId', '', ' alice', 'alice ', 'a\nb', 'älice', 'a'.repeat(256)],
  ['displayName', '', '   ', 'a\nb', 'a\u2028b', '\ud800', 'a\u0000', '\u0000a', 'n'.repeat(101)],
] as const) {
  for (const value of values) {
    test(`${JSON.stringify(value)} as ${field} is refused by name, and not repeated in the error`, (t) => {
      const error = t.throws(() => User.parse({ ...ENTRY, [field]: value }), {
        instanceOf: UserMalformed,
        code: 'user-malformed',
      })

      t.is(error.field, field)
      t.regex(error.message, /^must be 1 to \d+ printable/)
      t.false(value.length > 1 && error.message.includes(value))
    })
  }
}

test('a user has one plain address', (t) => {
  t.throws(() => User.parse({ ...ENTRY, email: 'alice@example.com, mallory@example.com' }), {
    instanceOf: EmailAddressMalformed,
  })
})

const USER = User.parse(ENTRY)
const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')

/** A challenge of Alice in each state, opened at noon; those that have ended did so at noon too. */
function challengesOfAlice() {
  const pending = openChallenge()
  const [verified] = Challenge.verify(openChallenge(POLICY, 'verified'), 'issuance', NOON)
  const [consumed] = Challenge.consume(verified, { key: 'k', fingerprint: 'f' }, NOON)
  const [cancelled] = Challenge.cancel(pending, 'by-client', NOON)
  const [exhausted] = Challenge.reject({ ...pending, attemptsRemaining: 1 }, NOON)
  return { pending, verified, over: [consumed, cancelled, exhausted] }
}

test('another address cancels the live challenges of the user, verified ones too, on record', (t) => {
  const { pending, verified } = challengesOfAlice()

  const decision = User.changeEntry(USER, { ...USER, email: ELSEWHERE }, [pending, verified], afterNoon(10))

  const reason = 'email-address-changed' as const
  const about = { subjectUserId: 'alice', at: afterNoon(10) }
  t.deepEqual(decision, {
    cancelled: [
      Challenge.cancel(pending, reason, afterNoon(10))[0],
      Challenge.cancel(verified, reason, afterNoon(10))[0],
    ],
    withdrawn: [],
    notice: {
      ...{ kind: 'address-changed', subjectUserId: 'alice', recipient: ALICE },
      happenedAt: afterNoon(10),
    },
    events: [
      { type: 'challenge-cancelled', challengeId: pending.id, ...about, reason },
      { type: 'challenge-cancelled', challengeId: verified.id, ...about, reason },
      { type: 'user-put', ...about, emailAddressChanged: true },
    ],
  })
})

for (const [what, previous, next] of [
  ['a first entry', undefined, USER],
  ['an entry as it was', USER, USER],
  ['the address in another case', USER, { ...USER, email: EmailAddress.parse('Alice@EXAMPLE.com') }],
  ['another name and language', USER, { ...USER, locale: 'fr', displayName: 'A.' }],
] as const) {
  test(`${what} is on record and leaves challenges alone`, (t) => {
    const { pending, verified } = challengesOfAlice()

    t.deepEqual(User.changeEntry(previous, next, [pending, verified], NOON), {
      cancelled: [],
      withdrawn: [],
      events: [{ type: 'user-put', subjectUserId: 'alice', at: NOON, emailAddressChanged: false }],
    })
  })
}

test('an erasure cancels the live challenges, tells the address and withdraws the queued warnings, on record', (t) => {
  const { pending, verified } = challengesOfAlice()
  const notice = LockNotice.queue('n-1', ALICE, pending, afterNoon(900), NOON)

  const decision = User.erase({ ...USER, locale: 'de' }, [pending, verified], [notice], afterNoon(10), false)

  const reason = 'user-erased' as const
  const about = { subjectUserId: 'alice', at: afterNoon(10) }
  t.deepEqual(decision, {
    cancelled: [
      Challenge.cancel(pending, reason, afterNoon(10))[0],
      Challenge.cancel(verified, reason, afterNoon(10))[0],
    ],
    withdrawn: [LockNotice.fail(notice, reason, afterNoon(10))[0]],
    notice: {
      ...{ kind: 'address-removed', subjectUserId: 'alice', recipient: ALICE },
      ...{ happenedAt: afterNoon(10), locale: 'de' },
    },
    events: [
      { type: 'challenge-cancelled', challengeId: pending.id, ...about, reason },
      { type: 'challenge-cancelled', challengeId: verified.id, ...about, reason },
      { type: 'lock-notice-failed', challengeId: pending.id, ...about, noticeId: 'n-1', reason },
      { type: 'user-erased', ...about },
    ],
  })
})

test('a user without an entry of ours has no address that could hear of the erasure', (t) => {
  const { pending } = challengesOfAlice()

  const decision = User.erase({ userId: 'alice' }, [pending], [], afterNoon(10), true)

  t.is(decision.notice, undefined)
  t.is(decision.cancelled.length, 1)
  t.like(decision.events.at(-1), { type: 'user-erased', subjectUserId: 'alice' })
})

test('the erasure of a user without live challenges is on record, and the address hears of it only if it has to', (t) => {
  const erased = {
    cancelled: [],
    withdrawn: [],
    events: [{ type: 'user-erased', subjectUserId: 'alice', at: NOON }],
  }

  t.deepEqual(User.erase(USER, [], [], NOON, false), erased as ReturnType<typeof User.erase>)
  t.like(User.erase(USER, [], [], NOON, true), {
    ...erased,
    notice: { kind: 'address-removed', recipient: ALICE },
  })
})

test('an entry remembers when its address came after another one, or after one that was erased', (t) => {
  const since = (...facts: Parameters<typeof User.replacing>) => User.replacing(...facts).emailChangedAt
  const moved = { ...USER, email: ELSEWHERE }

  t.is(since(undefined, USER, undefined, NOON), undefined)
  t.deepEqual(since(undefined, USER, NOON, afterNoon(60)), afterNoon(60))
  t.is(since(USER, USER, NOON, afterNoon(60)), undefined)
  t.deepEqual(since({ ...USER, emailChangedAt: NOON }, USER, undefined, afterNoon(60)), NOON)
  t.deepEqual(since({ ...USER, emailChangedAt: NOON }, moved, undefined, afterNoon(60)), afterNoon(60))
})

for (const [what, change] of [
  [
    'another address',
    (challenges: readonly Challenge[], now: Date) =>
      User.changeEntry(USER, { ...USER, email: ELSEWHERE }, challenges, now),
  ],
  [
    'an erasure',
    (challenges: readonly Challenge[], now: Date) => User.erase(USER, challenges, [], now, false),
  ],
] as const) {
  test(`${what} leaves challenges that are over as they ended`, (t) => {
    t.deepEqual(change(challengesOfAlice().over, afterNoon(10)).cancelled, [])
  })

  test(`${what} at the deadline of a challenge comes too late for it, and a millisecond before does not`, (t) => {
    const { pending, verified } = challengesOfAlice()

    t.deepEqual(change([pending, verified], afterNoon(900)).cancelled, [])
    t.is(change([pending, verified], afterNoon(899.999)).cancelled.length, 2)
  })
}
