import test from 'ava'
import { callerAdvice } from '../../../src/adapters/http-koa/support/caller-advice.ts'
import { timeline } from '../../../src/adapters/http-koa/support/timeline.ts'
import { timelinePicture } from '../../../src/adapters/http-koa/support/timeline-picture.ts'
import { timesIn } from '../../../src/adapters/http-koa/support/times.ts'
import { ReviewChallenge } from '../../../src/application/challenges/review-challenge.ts'
import { scenario } from '../../application/scenario.ts'
import { POLICY } from '../../domain/examples.ts'

const { full, clock } = timesIn('UTC')

async function told(policy = POLICY) {
  const all = await scenario({ policy, code: '123456' })
  const review = new ReviewChallenge(all.store.stepUps, all.store.trail, all.clock, policy)
  return {
    ...all,
    words: async (id: string) => timeline(await all.store.trail.eventsOf(id), full).map(({ words }) => words),
    steps: async (id: string) => timeline(await all.store.trail.eventsOf(id), full),
    advice: async (id: string) => callerAdvice(await review.execute(id), all.clock.now(), full),
  }
}

test('a code that arrives and is right reads as a story', async (t) => {
  const { open, issue, deliver, verify, consume, words, steps } = await told()
  const id = await open()
  await issue(id)
  await deliver()
  await verify(id, '654321')
  await verify(id, '123456')
  await consume(id)

  const mark = /mark ([A-Z]{2})/.exec((await words(id))[1]!)?.[1]
  t.deepEqual(await words(id), [
    'The service payments asked for a confirmation of payments.initiate.',
    `The user asked for code 1 (mark ${mark}).`,
    `The mail system took the mail with code 1 (mark ${mark}).`,
    'The user typed a wrong code. 4 attempts are left.',
    `The user typed code 1 (mark ${mark}). It was right.`,
    'The service used the confirmation for its operation.',
  ])
  t.deepEqual(
    (await steps(id)).map(({ label }) => label),
    ['asked', 'wants a code', 'mailed', 'wrong code', 'right code', 'carried out'],
  )
})

test('the advice follows the challenge from the first code to its use', async (t) => {
  const { open, issue, deliver, verify, consume, advice, clock: now } = await told()
  const id = await open()
  const expect = async (pattern: RegExp) => t.regex((await advice(id)).join(' '), pattern)

  await expect(/No code has been sent yet/)
  await issue(id)
  await expect(/about to go out.*another code from 1 Jan 2030, 12:00:30/)
  await deliver()
  await expect(/went out at 1 Jan 2030, 12:00:00.*spam folder/)
  now.pass(30)
  await expect(/another code now/)
  now.pass(270)
  await expect(/time of your code is over/)
  await issue(id)
  await deliver()
  await verify(id, '123456')
  await expect(/code was right/)
  await consume(id)
  await expect(/was passed on/)
})

test('five wrong codes: the advice begins with the lock, and warns of strangers', async (t) => {
  const { open, issue, deliver, verify, advice, steps } = await told()
  const id = await open()
  await issue(id)
  await deliver()
  for (let n = 0; n < 5; n += 1) await verify(id, '000000')

  const [first, second] = await advice(id)
  t.regex(first!, /locked because of too many wrong codes.*1 Jan 2030, 12:15:00/)
  t.regex(second!, /only if you are sure who calls/)
  t.deepEqual(
    (await steps(id)).slice(-3).map(({ label, tone }) => [label, tone]),
    [
      ['wrong code', 'bad'],
      ['used up', 'bad'],
      ['locked', 'bad'],
    ],
  )
})

test('an address that bounced: the advice asks for the address, and not to wait for a mail', async (t) => {
  const { open, issue, deliver, recordMailEvent, store, advice, clock: now } = await told()
  const id = await open()
  await issue(id)
  await deliver()
  const { id: issuanceId } = (await store.stepUps.load(id))!.issuance!
  await recordMailEvent.execute({
    issuanceId,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: now.now() },
    origin: undefined,
  })

  t.regex((await advice(id)).join(' '), /cannot send mails to your address.*lift the suppression/)
})

test('a challenge that is over is to be started again', async (t) => {
  const { open, advice, clock: now, cancelChallenge } = await told()
  const [late, taken] = [await open(), await open()]
  await cancelChallenge.execute({
    challengeId: taken,
    caller: { kind: 'client', clientId: 'payments', scopes: new Set() },
    origin: { requestId: 'r' },
  })
  now.pass(900)

  t.regex((await advice(late))[0]!, /time for this confirmation is over/)
  t.regex((await advice(taken))[0]!, /operation was taken back/)
})

test('the picture has a row for each step, and says in words what it shows', async (t) => {
  const { open, issue, deliver, verify, steps } = await told()
  const id = await open()
  await issue(id)
  await deliver()
  await verify(id, '000000')

  const picture = String(timelinePicture(await steps(id), clock))
  t.is(picture.match(/class="clock"/g)?.length, 4)
  t.true(picture.includes('aria-label="In this order: asked, wants a code, mailed, wrong code."'))
  t.regex(picture, /role="img"/)
  t.notRegex(picture, /<style|style=|<script|href=/)
})

test('a challenge without events has an empty picture', (t) => {
  t.true(String(timelinePicture([], clock)).includes('aria-label="Nothing happened yet."'))
})
