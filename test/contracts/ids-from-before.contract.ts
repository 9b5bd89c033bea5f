import { randomUUID } from 'node:crypto'
import test from 'ava'
import { bucketInId, bucketOf, idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { MailOutcome } from '../../src/domain/mail-outcome.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import {
  type CreateStores,
  consumed,
  type MailOutcomeStores,
  PROVENANCE,
  type ReportStores,
} from './stores.ts'

/** An id as it was made before the buckets: it ends in any digits but those of its subject. */
function idFromBefore(subjectUserId: string): string {
  const id = randomUUID()
  return bucketInId(id) === bucketOf(subjectUserId) ? idFromBefore(subjectUserId) : id
}

/** Challenges and codes from before the buckets go on working. Called once per adapter. */
export function idsFromBeforeContract(
  adapter: string,
  create: CreateStores<MailOutcomeStores & ReportStores>,
): void {
  const open = async (stores: MailOutcomeStores) => {
    const subjectUserId = randomUUID()
    const [challenge, event] = Challenge.open(
      { id: idFromBefore(subjectUserId), clientId: 'payments', subjectUserId, operation: TRANSFER },
      POLICY,
      NOON,
    )
    await stores.stepUps.open(challenge, event, { key: randomUUID(), fingerprint: 'f' }, PROVENANCE)
    return challenge
  }
  const issue = async ({ stepUps }: MailOutcomeStores, { id, subjectUserId }: Challenge) => {
    const demand = { id: idFromBefore(subjectUserId), keyId: 'k1', recipient: ALICE }
    const decision = StepUp.issueOtp((await stepUps.load(id))!, demand, POLICY, NOON)
    if (!(await stepUps.save(decision, PROVENANCE))) throw new Error('not saved')
    return decision.issued
  }

  test.serial(
    `${adapter}: a challenge from before the buckets is opened, verified and consumed`,
    async (t) => {
      const stores = await create()
      const challenge = await open(stores)
      t.is((await stores.stepUps.load(challenge.id))?.challenge.status, 'pending')
      const issued = await issue(stores, challenge)
      t.deepEqual((await stores.stepUps.load(challenge.id))?.issuance, issued)
      const stepUp = (await stores.stepUps.load(challenge.id))!
      const [decision] = StepUp.verifyOtp(stepUp, () => true, noticeDemand(), POLICY, afterNoon(1))
      t.true(await stores.stepUps.save(decision, PROVENANCE))
      await consumed(stores, challenge.id)

      t.is((await stores.stepUps.load(challenge.id))?.challenge.status, 'consumed')
      const events = await stores.trail.eventsOf(challenge.id)
      t.deepEqual(
        events.map(({ type }) => type),
        ['challenge-opened', 'otp-issued', 'challenge-verified', 'challenge-consumed'],
      )
    },
  )

  test.serial(`${adapter}: a challenge from before the buckets is cancelled`, async (t) => {
    const stores = await create()
    const { id } = await open(stores)
    const { challenge, standing } = (await stores.stepUps.load(id))!
    const [cancelled, event] = Challenge.cancel(challenge, 'user-gone', NOON)

    t.true(await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE))

    t.is((await stores.stepUps.load(id))?.challenge.status, 'cancelled')
  })

  test.serial(
    `${adapter}: the mail of a code from before the buckets is reported, and leads to its challenge`,
    async (t) => {
      const stores = await create()
      const challenge = await open(stores)
      const { id } = (await issue(stores, challenge))!
      const [claimed] = await stores.outbox
        .claim(1000, NOON, afterNoon(30))
        .then((deliveries) => deliveries.filter(({ issuance }) => issuance.id === id))
      const [sent, event] = OtpIssuance.markSent(claimed!.issuance, 'm', NOON)
      t.true(await stores.outbox.record(claimed!.issuance, sent, event))
      const before = (await stores.mailOutcomes.load(id))!
      t.is(before.issuance.status, 'sent')

      const decision = MailOutcome.record(before, { outcome: 'delivered', at: afterNoon(5) })!

      t.true(await stores.mailOutcomes.save(before, decision, PROVENANCE))
      t.is((await stores.mailOutcomes.load(id))?.issuance.status, 'delivered')
      t.is(await stores.reportableChallenges.challengeOf(id), challenge.id)
    },
  )

  test.serial(`${adapter}: an id that nobody made leads nowhere, whatever bucket it carries`, async (t) => {
    const stores = await create()
    const { subjectUserId } = await open(stores)
    for (const id of [randomUUID(), idInBucketOf(subjectUserId, randomUUID())]) {
      t.is(await stores.stepUps.load(id), undefined)
      t.is(await stores.mailOutcomes.load(id), undefined)
      t.is(await stores.reportableChallenges.challengeOf(id), undefined)
      t.deepEqual(await stores.trail.eventsOf(id), [])
    }
  })

  test.serial(
    `${adapter}: strangers at a challenge from before the buckets leave an event each, and ten at most`,
    async (t) => {
      const stores = await create()
      const { id } = await open(stores)

      for (let n = 0; n < 12; n++) {
        const subjectUserId = `stranger-${n % 11}`
        await stores.stepUps.recordStranger(
          { type: 'stranger-refused', challengeId: id, subjectUserId, at: NOON },
          PROVENANCE,
        )
      }

      const events = await stores.trail.eventsOf(id)
      t.is(events.filter(({ type }) => type === 'stranger-refused').length, 10)
    },
  )
}
