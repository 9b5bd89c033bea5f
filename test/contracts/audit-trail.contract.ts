import { randomUUID } from 'node:crypto'
import test from 'ava'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY } from '../domain/examples.ts'
import { issued, opened, PROVENANCE, type Stores } from './stores.ts'

/** What an auditor relies on, whoever keeps the trail. Called once per adapter. */
export function auditTrailContract(adapter: string, create: () => Promise<Stores>): void {
  test.serial(`${adapter}: a challenge that nobody opened has no events`, async (t) => {
    const { trail } = await create()

    t.deepEqual(await trail.eventsOf(randomUUID()), [])
  })

  test.serial(
    `${adapter}: events are kept as they were decided, in their order, with who caused them`,
    async (t) => {
      const stores = await create()
      const policy = { ...POLICY, maxAttempts: 1, subjectMaxFailures: 1 }
      const challenge = await opened(stores, randomUUID(), policy)
      await issued(stores, challenge.id, afterNoon(1))
      const provenance = { actor: 'service' }
      const stepUp = (await stores.stepUps.load(challenge.id))!
      const [decision] = StepUp.verifyOtp(
        stepUp,
        () => false,
        noticeDemand(randomUUID()),
        policy,
        afterNoon(2),
      )
      await stores.stepUps.save(decision, provenance)

      const events = await stores.trail.eventsOf(challenge.id)

      t.deepEqual(
        events.map(({ type }) => type),
        ['challenge-opened', 'otp-issued', 'otp-rejected', 'challenge-exhausted', 'subject-locked'],
      )
      t.deepEqual(
        events.slice(2),
        decision.events.map((event) => ({ ...event, ...provenance })),
      )
      t.like(events[0], PROVENANCE)
    },
  )

  test.serial(`${adapter}: a decision that lost its race leaves no event`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const { standing } = (await stores.stepUps.load(challenge.id))!
    await issued(stores, challenge.id)
    const [cancelled, event] = Challenge.cancel(challenge, 'by-client', NOON)

    await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE)

    t.deepEqual(
      (await stores.trail.eventsOf(challenge.id)).map(({ type }) => type),
      ['challenge-opened', 'otp-issued'],
    )
  })

  test.serial(
    `${adapter}: what a change of address ends is on the trail of the challenge it ended`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      await stores.registry.put(
        { userId, email: EmailAddress.parse('a@elsewhere.example') },
        afterNoon(1),
        PROVENANCE,
      )

      t.like((await stores.trail.eventsOf(id)).at(-1), {
        type: 'challenge-cancelled',
        reason: 'email-address-changed',
        at: afterNoon(1),
        actor: PROVENANCE.actor,
      })
    },
  )
}
