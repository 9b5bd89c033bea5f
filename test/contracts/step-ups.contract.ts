import { randomUUID } from 'node:crypto'
import test from 'ava'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { bucketOf } from '../../src/domain/bucket.ts'
import { Challenge, IdempotencyKeyReused, LiveChallengesSpent } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import type { Operation } from '../../src/domain/operation.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import {
  type CreateStores,
  consumed,
  FAULTY,
  type ForgeableStores,
  type Intruder,
  idOf,
  issued,
  opened,
  overheard,
  PROVENANCE,
  verified,
} from './stores.ts'

const MALLORY = EmailAddress.parse('mallory@example.com')

type Rewriting = Parameters<Intruder['rewrite']>[1]

const ofOperation =
  (change: Partial<Operation>): Rewriting =>
  (each) => ({ ...each, operation: { ...each.operation, ...change } })
const ofEnd =
  (change: object): Rewriting =>
  (each) =>
    ({ ...each, ...change }) as Challenge

/** Another subject, whose rows are in the same bucket. */
const neighbourOf = (subjectUserId: string) => anotherSubject((bucket) => bucket === bucketOf(subjectUserId))
const strangerTo = (subjectUserId: string) => anotherSubject((bucket) => bucket !== bucketOf(subjectUserId))

function anotherSubject(isMeant: (bucket: number) => boolean): string {
  for (let n = 0; ; n++) if (isMeant(bucketOf(`mallory-${n}`))) return `mallory-${n}`
}

/** What somebody may change in a challenge of any status. */
const REWRITINGS: Readonly<Record<string, Rewriting>> = {
  'another subject': (each) => ({ ...each, subjectUserId: neighbourOf(each.subjectUserId) }),
  'another client': (each) => ({ ...each, clientId: 'shop' }),
  'another deadline': (each) => ({ ...each, expiresAt: afterNoon(901) }),
  'another opening': (each) => ({ ...each, createdAt: afterNoon(-1) }),
  'another type of operation': ofOperation({ type: 'payees.add' }),
  'another digest': ofOperation({ digest: `B${TRANSFER.digest.slice(1)}` }),
  'another summary': ofOperation({ summary: [{ label: 'Amount', value: 'EUR 1.00' }] }),
}
const REWRITINGS_OF_APPROVAL = { ...REWRITINGS, 'another approval': ofEnd({ verifiedAt: afterNoon(3) }) }
const REWRITINGS_OF_CONSUMPTION = {
  ...REWRITINGS_OF_APPROVAL,
  'another consumption': ofEnd({ consumedAt: afterNoon(3) }),
  'another call': ofEnd({ consumedBy: { key: 'consume-2', fingerprint: 'f' } }),
  'another body of the call': ofEnd({ consumedBy: { key: 'consume-1', fingerprint: 'g' } }),
}

/** What the use cases rely on, whoever stores the step-ups. Called once per adapter. */
export function stepUpsContract(adapter: string, create: CreateStores<ForgeableStores>): void {
  const demand = () => ({ id: randomUUID(), keyId: 'k1', recipient: ALICE })
  const challengeOf = (clientId: string, subjectUserId: string = randomUUID()) =>
    Challenge.open({ id: idOf(subjectUserId), clientId, subjectUserId, operation: TRANSFER }, POLICY, NOON)

  test.serial(`${adapter}: there is nothing under an unknown id`, async (t) => {
    const { stepUps } = await create()

    t.is(await stepUps.load(randomUUID()), undefined)
  })

  test.serial(
    `${adapter}: an opened challenge is loaded as it was opened, for a subject without a past`,
    async (t) => {
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
    },
  )

  test.serial(`${adapter}: a step-up comes with the entry of its subject in the directory`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const user = { userId: challenge.subjectUserId, email: ALICE, locale: 'de-AT', displayName: 'Alice' }
    await stores.registry.put(user, NOON, PROVENANCE)

    t.deepEqual((await stores.stepUps.load(challenge.id))?.user, user)
  })

  test.serial(`${adapter}: the same idempotency key gives the challenge that it opened first`, async (t) => {
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

  test.serial(
    `${adapter}: an idempotency key with another fingerprint is refused and opens nothing`,
    async (t) => {
      const { stepUps } = await create()
      const clientId = randomUUID()
      const [first, event] = challengeOf(clientId)
      const [second, secondEvent] = challengeOf(clientId)
      await stepUps.open(first, event, { key: 'key', fingerprint: 'f' }, PROVENANCE)

      await t.throwsAsync(stepUps.open(second, secondEvent, { key: 'key', fingerprint: 'g' }, PROVENANCE), {
        instanceOf: IdempotencyKeyReused,
      })
      t.is(await stepUps.load(second.id), undefined)
    },
  )

  test.serial(`${adapter}: an idempotency key is its client's own`, async (t) => {
    const { stepUps } = await create()
    const idempotency = { key: 'key', fingerprint: 'f' }

    t.true((await stepUps.open(...challengeOf(randomUUID()), idempotency, PROVENANCE)).created)
    t.true((await stepUps.open(...challengeOf(randomUUID()), idempotency, PROVENANCE)).created)
  })

  test.serial(`${adapter}: of ten parallel calls with one key, one opens`, async (t) => {
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

  test.serial(`${adapter}: a subject has at most its number of live challenges at a client`, async (t) => {
    const { stepUps } = await create()
    const [clientId, subjectUserId] = [randomUUID(), randomUUID()]
    const open = (client = clientId, subject = subjectUserId, now = NOON) =>
      stepUps.open(
        ...Challenge.open(
          { id: idOf(subject), clientId: client, subjectUserId: subject, operation: TRANSFER },
          POLICY,
          now,
        ),
        { key: randomUUID(), fingerprint: 'f' },
        PROVENANCE,
        2,
      )
    await open()
    const { challenge } = await open(clientId, subjectUserId, afterNoon(100))

    const error = await t.throwsAsync<LiveChallengesSpent>(open(clientId, subjectUserId, afterNoon(200)), {
      instanceOf: LiveChallengesSpent,
    })
    t.is(error.retryAfterInSeconds, 700, 'until the first one expires')
    t.true((await open(randomUUID())).created, 'another client')
    t.true((await open(clientId, randomUUID())).created, 'another subject')

    const { standing } = (await stepUps.load(challenge.id))!
    const [cancelled, event] = Challenge.cancel(challenge, 'by-client', afterNoon(200))
    await stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE)
    t.true((await open(clientId, subjectUserId, afterNoon(200))).created, 'one has ended')
    await t.throwsAsync(open(clientId, subjectUserId, afterNoon(899)), { instanceOf: LiveChallengesSpent })
    t.true((await open(clientId, subjectUserId, afterNoon(900))).created, 'one has expired')
  })

  test.serial(
    `${adapter}: a repeated call gets its challenge also where there is no room for another`,
    async (t) => {
      const { stepUps } = await create()
      const clientId = randomUUID()
      const idempotency = { key: 'key', fingerprint: 'f' }
      const [first, event] = challengeOf(clientId)
      await stepUps.open(first, event, idempotency, PROVENANCE, 1)

      const again = await stepUps.open(
        ...challengeOf(clientId, first.subjectUserId),
        idempotency,
        PROVENANCE,
        1,
      )

      t.deepEqual(again, { challenge: first, created: false })
      await t.throwsAsync(
        stepUps.open(
          ...challengeOf(clientId, first.subjectUserId),
          { key: 'key', fingerprint: 'g' },
          PROVENANCE,
          1,
        ),
        { instanceOf: IdempotencyKeyReused },
      )
    },
  )

  test.serial(
    `${adapter}: of fifteen parallel calls as many open a challenge as there is room for`,
    async (t) => {
      const { stepUps } = await create()
      const [clientId, subjectUserId] = [randomUUID(), randomUUID()]

      const opened = await Promise.allSettled(
        Array.from({ length: 15 }, (_, n) =>
          stepUps.open(
            ...challengeOf(clientId, subjectUserId),
            { key: `key-${n}`, fingerprint: 'f' },
            PROVENANCE,
            7,
          ),
        ),
      )

      t.is(opened.filter(({ status }) => status === 'fulfilled').length, 7)
      for (const each of opened) {
        // A call that waits too long, as on a busy machine, opens nothing either.
        if (each.status === 'rejected' && !(each.reason instanceof StorageUnavailable)) {
          t.true(each.reason instanceof LiveChallengesSpent, String(each.reason))
        }
      }
    },
  )

  test.serial(`${adapter}: a decision is loaded as it was saved, one version on`, async (t) => {
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

  test.serial(`${adapter}: every end of a challenge is loaded as it was saved`, async (t) => {
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

  test.serial(`${adapter}: a consumed challenge is loaded with the call that consumed it`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    const { standing } = (await stores.stepUps.load(challenge.id))!
    const [verified] = Challenge.verify(challenge, randomUUID(), afterNoon(1))
    const [consumed, event] = Challenge.consume(verified, { key: 'key', fingerprint: 'f' }, afterNoon(2))

    t.true(await stores.stepUps.save({ challenge: consumed, standing, events: [event] }, PROVENANCE))

    t.deepEqual((await stores.stepUps.load(challenge.id))?.challenge, consumed)
  })

  test.serial(
    `${adapter}: what the service stored is no forgery, from its opening to its consumption`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      const forgery = async () => (await stores.stepUps.load(id))?.forgery

      t.is(await forgery(), undefined)
      await issued(stores, id)
      t.is(await forgery(), undefined)
      await verified(stores, id)
      t.is(await forgery(), undefined)
      await consumed(stores, id)
      t.is(await forgery(), undefined)
    },
  )

  for (const [status, rewritings] of [
    ['pending', REWRITINGS],
    ['verified', REWRITINGS_OF_APPROVAL],
    ['consumed', REWRITINGS_OF_CONSUMPTION],
  ] as const) {
    test.serial(
      `${adapter}: a ${status} challenge that somebody rewrote is a forgery, whatever is different`,
      async (t) => {
        const stores = await create()
        for (const [what, rewriting] of Object.entries(rewritings)) {
          const { id, subjectUserId } = await opened(stores)
          await opened(stores, neighbourOf(subjectUserId))
          await issued(stores, id)
          if (status !== 'pending') await verified(stores, id)
          if (status === 'consumed') await consumed(stores, id)

          await stores.intruder.rewrite(id, rewriting)

          t.is((await stores.stepUps.load(id))?.forgery, 'broken-seal', what)
        }
      },
    )
  }

  test.serial(
    `${adapter}: a challenge that somebody gave to a subject of another bucket is a forgery`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId } = await opened(stores)
      const other = strangerTo(subjectUserId)
      await opened(stores, other)

      await stores.intruder.rewrite(id, (each) => ({ ...each, subjectUserId: other }))

      t.is((await stores.stepUps.load(id))?.forgery, 'broken-seal')
    },
  )

  for (const [status, end] of [
    ['verified', { verifiedAt: NOON }],
    ['consumed', { verifiedAt: NOON, consumedAt: NOON, consumedBy: { key: 'key', fingerprint: 'f' } }],
  ] as const) {
    test.serial(
      `${adapter}: a pending challenge that somebody made a ${status} one is a forgery, whatever is decided next`,
      async (t) => {
        const stores = await create()
        const { id } = await opened(stores)
        await issued(stores, id)

        await stores.intruder.rewrite(id, ofEnd({ status, ...end }))
        t.is((await stores.stepUps.load(id))?.forgery, 'unsealed')

        const { challenge, standing } = (await stores.stepUps.load(id))!
        const [, events] = Challenge.refuseConsumption(
          challenge,
          'digest-mismatch',
          { key: 'k', fingerprint: 'f' },
          NOON,
        )
        await stores.stepUps.save({ challenge, standing, events }, PROVENANCE)
        t.is((await stores.stepUps.load(id))?.forgery, 'unsealed')
      },
    )
  }

  test.serial(`${adapter}: an ended challenge that somebody set back to verified is a forgery`, async (t) => {
    const stores = await create()
    for (const end of ['consumed', 'cancelled']) {
      const { id } = await opened(stores)
      await issued(stores, id)
      await verified(stores, id)
      if (end === 'consumed') await consumed(stores, id)
      else {
        const { challenge, standing } = (await stores.stepUps.load(id))!
        const [cancelled, event] = Challenge.cancel(challenge, 'by-subject', afterNoon(2))
        await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE)
      }

      await stores.intruder.rewrite(id, ofEnd({ status: 'verified', verifiedAt: afterNoon(1) }))

      t.is((await stores.stepUps.load(id))?.forgery, 'set-back')
    }
  })

  test.serial(
    `${adapter}: a repeated opening names a demand that somebody rewrote as a forgery`,
    async (t) => {
      const stores = await create()
      for (const rewriting of [
        ofOperation({ digest: `B${TRANSFER.digest.slice(1)}` }),
        ofOperation({ summary: [{ label: 'Amount', value: 'EUR 1.00' }] }),
        ofEnd({ status: 'cancelled', cancelledAt: NOON, expiresAt: afterNoon(901) }),
      ]) {
        const subject = randomUUID()
        const clientId = randomUUID()
        const repeat = () =>
          stores.stepUps.open(...challengeOf(clientId, subject), { key: 'k', fingerprint: 'f' }, PROVENANCE)
        const { challenge } = await repeat()
        const honest = await repeat()
        t.is(honest.challenge.id, challenge.id)
        t.is(honest.forgery, undefined)

        await stores.intruder.rewrite(challenge.id, rewriting)

        t.is((await repeat()).forgery, 'broken-seal')
      }
    },
  )

  test.serial(
    `${adapter}: a code that somebody sends to another mailbox is a forgery, until it has verified its challenge`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      const { id: issuanceId } = await issued(stores, id)

      await stores.intruder.redirect(issuanceId, MALLORY)
      t.is((await stores.stepUps.load(id))?.forgery, 'broken-seal')

      // As an erasure does, which forgets the address.
      await stores.intruder.redirect(issuanceId, ALICE)
      await verified(stores, id)
      await stores.intruder.redirect(issuanceId, MALLORY)
      t.is((await stores.stepUps.load(id))?.forgery, undefined)
    },
  )

  test.serial(
    `${adapter}: a challenge whose seals somebody took away is a forgery while it can still be used`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id)
      await verified(stores, id)

      await stores.intruder.unseal(id)
      t.is((await stores.stepUps.load(id))?.forgery, 'unsealed')

      const { challenge, standing } = (await stores.stepUps.load(id))!
      const [cancelled, event] = Challenge.cancel(challenge, 'unsealed', afterNoon(2))
      await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE)
      t.is((await stores.stepUps.load(id))?.forgery, undefined)
    },
  )

  test.serial(`${adapter}: a step-up comes with its newest issuance`, async (t) => {
    const stores = await create()
    const challenge = await opened(stores)
    await issued(stores, challenge.id)
    const newest = await issued(stores, challenge.id, afterNoon(60))

    t.deepEqual((await stores.stepUps.load(challenge.id))?.issuance, newest)
  })

  test.serial(`${adapter}: a decision on an old version is refused and stores nothing`, async (t) => {
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

  test.serial(
    `${adapter}: a decision about one challenge supersedes those about the subject's others`,
    async (t) => {
      const stores = await create()
      const one = await opened(stores)
      const other = await opened(stores, one.subjectUserId)
      const old = (await stores.stepUps.load(other.id))!
      await issued(stores, one.id)

      t.false(await stores.stepUps.save(StepUp.issueOtp(old, demand(), POLICY, NOON), PROVENANCE))
    },
  )

  test.serial(`${adapter}: a decision about one subject leaves others alone`, async (t) => {
    const stores = await create()
    const one = await opened(stores)
    const other = await opened(stores)
    const stepUp = (await stores.stepUps.load(other.id))!
    await issued(stores, one.id)

    t.true(await stores.stepUps.save(StepUp.issueOtp(stepUp, demand(), POLICY, NOON), PROVENANCE))
  })

  test.serial(`${adapter}: of thirty decisions made on one version, one is saved`, async (t) => {
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

  test.serial(
    `${adapter}: a decision is heard of once, after it was stored, with its challenge and its code`,
    async (t) => {
      const { stores, commits, storedBefore } = await overheard(create)
      const { id } = await opened(stores)
      const { id: issuanceId, issuedAt } = await issued(stores, id)
      const decisions = []
      for (const codeMatches of [false, true]) {
        const stepUp = (await stores.stepUps.load(id))!
        const [decision] = StepUp.verifyOtp(stepUp, () => codeMatches, noticeDemand(), POLICY, afterNoon(9))
        await stores.stepUps.save(decision, PROVENANCE)
        decisions.push(decision)
      }

      const [rejected, verified] = decisions
      const told = commits.map(({ events, challenge, issuance }) => [
        events.map(({ type }) => type),
        challenge?.status,
        challenge?.attemptsRemaining,
        issuance && [issuance.id, issuance.issuedAt],
      ])
      t.deepEqual(told, [
        [['challenge-opened'], 'pending', 5, undefined],
        [['otp-issued'], 'pending', 5, [issuanceId, issuedAt]],
        [['otp-rejected'], 'pending', 4, undefined],
        [['challenge-verified'], 'verified', 4, [issuanceId, issuedAt]],
      ])
      t.deepEqual(commits[2]?.events, rejected?.events)
      t.deepEqual(commits[3]?.challenge, verified?.challenge)
      t.true(commits.every(({ provenance }) => provenance === PROVENANCE))
      t.true(await storedBefore())
    },
  )

  test.serial(
    `${adapter}: of calls with one key and of decisions on one version, all at once, the listener hears of the one that is stored`,
    async (t) => {
      const { stores, commits, types } = await overheard(create)
      const clientId = randomUUID()
      const subjectUserId: string = randomUUID()
      const calls = await Promise.all(
        Array.from({ length: 5 }, () =>
          stores.stepUps.open(
            ...challengeOf(clientId, subjectUserId),
            { key: 'key', fingerprint: 'f' },
            PROVENANCE,
          ),
        ),
      )
      const { challenge } = calls[0]!
      const stepUp = (await stores.stepUps.load(challenge.id))!

      await Promise.all(
        Array.from({ length: 10 }, () =>
          stores.stepUps.save(StepUp.issueOtp(stepUp, demand(), POLICY, NOON), PROVENANCE),
        ),
      )

      t.deepEqual(types(), [['challenge-opened'], ['otp-issued']])
      t.is(commits[0]?.challenge?.id, challenge.id)
      t.is(commits[1]?.issuance?.id, (await stores.stepUps.load(challenge.id))?.issuance?.id)
    },
  )

  test.serial(`${adapter}: a key that is refused is not heard of`, async (t) => {
    const { stores, types } = await overheard(create)
    const clientId = randomUUID()
    await stores.stepUps.open(...challengeOf(clientId), { key: 'key', fingerprint: 'f' }, PROVENANCE)

    await t.throwsAsync(
      stores.stepUps.open(...challengeOf(clientId), { key: 'key', fingerprint: 'g' }, PROVENANCE),
    )

    t.deepEqual(types(), [['challenge-opened']])
  })

  test.serial(`${adapter}: a listener that throws takes nothing back and makes nothing fail`, async (t) => {
    const stores = await create(FAULTY)
    const { id } = await opened(stores)

    const { id: issuanceId } = await issued(stores, id)

    t.is((await stores.stepUps.load(id))?.issuance?.id, issuanceId)
  })
}
