import { createHash } from 'node:crypto'
import test from 'ava'
import { FindMarkedChallenges } from '../../../src/application/support/find-marked-challenges.ts'
import { FindSubjectsOfMailbox } from '../../../src/application/support/find-subjects-of-mailbox.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

for (const [what, seconds, isFound] of [
  ['a moment before the mail arrived', 59, true],
  ['two minutes before', -120, true],
  ['more than two minutes before', -121, false],
  ['after that minute', 60, false],
] as const) {
  test(`a code that was issued ${what} is ${isFound ? 'found' : 'not found'} by its mark`, async (t) => {
    const { open, issue, clock, store } = await scenario()
    clock.pass(seconds)
    const id = await open()
    await issue(id)
    clock.pass(900)
    const mark = OtpIssuance.reference({ challengeId: id, subjectUserId: 'alice', number: 1 })
    const findMarked = new FindMarkedChallenges(store.supportSearch, clock)

    const found = await findMarked.execute({ mark: mark.toLowerCase(), minute: NOON })

    t.deepEqual(
      found.map(({ challenge, status }) => [challenge.id, status]),
      isFound ? [[id, 'expired']] : [],
    )
    t.deepEqual(await findMarked.execute({ mark, minute: afterNoon(3600) }), [])
  })
}

test('a user is found by the hash of their address, in either case', async (t) => {
  const { store } = await scenario()
  const find = new FindSubjectsOfMailbox(store.supportSearch)
  const hash = createHash('sha256').update('alice@example.com').digest('hex')

  t.deepEqual(await find.execute(hash), ['alice'])
  t.deepEqual(await find.execute(hash.toUpperCase()), ['alice'])
})
