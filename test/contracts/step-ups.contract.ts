import { randomUUID } from 'node:crypto'
import test from 'ava'
import { Challenge, IdempotencyKeyReused } from '../../src/domain/challenge.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import { issued, opened, PROVENANCE, type Stores } from './stores.ts'

/** What the use cases rely on, whoever stores the step-ups. Called once per adapter. */
export function stepUpsContract(adapter: string, create: () => Promise<Stores>): void {
  const demand = () => ({ id: randomUUID(), keyId: 'k1', recipient: ALICE })
  const challengeOf = (clientId: string, subjectUserId: string = randomUUID()) =>
    Challenge.open({ id: randomUUID(), clientId, subjectUserId, operation: TRANSFER }, POLICY, NOON)

  test(`${adapter}: there is nothing under an unknown id`, async (t) => {
    const { stepUps } = await create()

    t.is(await stepUps.load(randomUUID()), undefined)
  })

  test(`${adapter}: an opened challenge is loaded as it was opened, for a subject without a past`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)

    const stepUp = await stores.stepUps.load(challenge.id)
    t.deepEqual(stepUp?.challenge, challenge)
    t.like(stepUp?.standing, {
      subjectUserId: challenge.subjectUserId,
      consecutiveFailures: 0,
      lockedUntil: undefined,
    })
    t.is(stepUp?.issuance, undefined)
    t.is(stepUp?.user, undefined)
  })

  test(`${adapter}: a step-up comes with the entry of its subject in the directory`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const user = { userId: challenge.subjectUserId, email: ALICE, locale: 'de-AT', displayName: 'Alice' }
    await stores.registry.put(user, NOON, PROVENANCE)

    t.deepEqual((await stores.stepUps.load(challenge.id))?.user, user)
  })

  test(`${adapter}: the same idempotency key gives the challenge that it opened first`, async (t) => {
    const { stepUps } = await create()
    const clientId = randomUUID()
    const [first, event] = challengeOf(clientId)
    const [second, secondEvent] = challengeOf(clientId, first.subjectUserId)
    const idempotency = { key: 'key', fingerprint: 'f' }

    t.true((await stepUps.open(first, event, idempotency, PROVENANCE)).created)
    const again = await stepUps.open(second, secondEvent, idempotency, PROVENANCE)
    t.false(again.created)
    t.deepEqual(again.challenge, first)
    t.is(await stepUps.load(second.id), undefined)
  })

  test(`${adapter}: an idempotency key with another fingerprint is refused and opens nothing`, async (t) => {
    const { stepUps } = await create()
    const clientId = randomUUID()
    const [first, event] = challengeOf(clientId)
    const [second, secondEvent] = challengeOf(clientId)
    await stepUps.open(first, event, { key: 'key', fingerprint: 'f' }, PROVENANCE)

    await t.throwsAsync(stepUps.open(second, secondEvent, { key: 'key', fingerprint: 'g' }, PROVENANCE), {
      instanceOf: IdempotencyKeyReused,
    })
    t.is(await stepUps.load(second.id), undefined)
  })

  test(`${adapter}: an idempotency key is its client's own`, async (t) => {
    const { stepUps } = await create()
    const idempotency = { key: 'key', fingerprint: 'f' }

    t.true((await stepUps.open(...challengeOf(randomUUID()), idempotency, PROVENANCE)).created)
    t.true((await stepUps.open(...challengeOf(randomUUID()), idempotency, PROVENANCE)).created)
  })

  test(`${adapter}: of ten parallel calls with one key, one opens`, async (t) => {
    const { stepUps } = await create()
    const clientId = randomUUID()
    const subjectUserId: string = randomUUID()

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () =>
        stepUps.open(...challengeOf(clientId, subjectUserId), { key: 'key', fingerprint: 'f' }, PROVENANCE),
      ),
    )

    t.is(outcomes.filter(({ created }) => created).length, 1)
    t.is(new Set(outcomes.map(({ challenge }) => challenge.id)).size, 1)
  })

  test(`${adapter}: a decision is loaded as it was saved, one version on`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const before = (await stores.stepUps.load(challenge.id))!
    const decision = StepUp.issueOtp(before, demand(), POLICY, afterNoon(1))

    t.true(await stores.stepUps.save(decision, PROVENANCE))
    const stepUp = await stores.stepUps.load(challenge.id)
    t.deepEqual(stepUp?.challenge, decision.challenge)
    t.deepEqual(stepUp?.issuance, decision.issued)
    t.deepEqual(stepUp?.standing, { ...decision.standing, version: before.standing.version + 1 })
  })

  test(`${adapter}: every end of a challenge is loaded as it was saved`, async (t) => {
    const stores = await create()
    const policy = { ...POLICY, maxAttempts: 1, subjectMaxFailures: 1 }
    for (const codeMatches of [true, false]) {
      const challenge = await opened(stores, randomUUID(), policy)
      await issued(stores, challenge.id)
      const [decision] = StepUp.verifyOtp(
        (await stores.stepUps.load(challenge.id))!,
        () => codeMatches,
        noticeDemand(randomUUID()),
        policy,
        afterNoon(1),
      )

      t.true(await stores.stepUps.save(decision, PROVENANCE))
      const stepUp = await stores.stepUps.load(challenge.id)
      t.deepEqual(stepUp?.challenge, decision.challenge)
      t.deepEqual(stepUp?.standing.lockedUntil, decision.standing.lockedUntil)
    }
  })

  test(`${adapter}: a consumed challenge is loaded with the call that consumed it`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const { standing } = (await stores.stepUps.load(challenge.id))!
    const [verified] = Challenge.verify(challenge, randomUUID(), afterNoon(1))
    const [consumed, event] = Challenge.consume(verified, { key: 'key', fingerprint: 'f' }, afterNoon(2))

    t.true(await stores.stepUps.save({ challenge: consumed, standing, events: [event] }, PROVENANCE))

    t.deepEqual((await stores.stepUps.load(challenge.id))?.challenge, consumed)
  })

  test(`${adapter}: a step-up comes with its newest issuance`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    await issued(stores, challenge.id)
    const newest = await issued(stores, challenge.id, afterNoon(60))

    t.deepEqual((await stores.stepUps.load(challenge.id))?.issuance, newest)
  })

  test(`${adapter}: a decision on an old version is refused and stores nothing`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const old = (await stores.stepUps.load(challenge.id))!
    const winner = await issued(stores, challenge.id)

    t.false(await stores.stepUps.save(StepUp.issueOtp(old, demand(), POLICY, NOON), PROVENANCE))
    const stepUp = await stores.stepUps.load(challenge.id)
    t.deepEqual(stepUp?.issuance, winner)
    t.is(stepUp?.challenge.issuanceCount, 1)
    t.is(
      (await stores.outbox.claim(100, NOON, afterNoon(30))).filter(
        ({ challenge: { id } }) => id === challenge.id,
      ).length,
      1,
    )
  })

  test(`${adapter}: a decision about one challenge supersedes those about the subject's others`, async (t) => {
    const stores = await create()
    const one = await opened(stores)
    const other = await opened(stores, one.subjectUserId)
    const old = (await stores.stepUps.load(other.id))!
    await issued(stores, one.id)

    t.false(await stores.stepUps.save(StepUp.issueOtp(old, demand(), POLICY, NOON), PROVENANCE))
  })

  test(`${adapter}: a decision about one subject leaves others alone`, async (t) => {
    const stores = await create()
    const one = await opened(stores)
    const other = await opened(stores)
    const stepUp = (await stores.stepUps.load(other.id))!
    await issued(stores, one.id)

    t.true(await stores.stepUps.save(StepUp.issueOtp(stepUp, demand(), POLICY, NOON), PROVENANCE))
  })

  test(`${adapter}: of thirty decisions made on one version, one is saved`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const stepUp = (await stores.stepUps.load(challenge.id))!

    const saved = await Promise.all(
      Array.from({ length: 30 }, () =>
        stores.stepUps.save(StepUp.issueOtp(stepUp, demand(), POLICY, NOON), PROVENANCE),
      ),
    )

    t.is(saved.filter(Boolean).length, 1)
    t.is((await stores.stepUps.load(challenge.id))?.standing.recentIssuances.length, 1)
  })
}
