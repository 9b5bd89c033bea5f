import { randomUUID } from 'node:crypto'
import test from 'ava'
import { recordMailEvent } from '../../src/application/mail/record-mail-event.ts'
import { type MailEvent, MailOutcome } from '../../src/domain/mail-outcome.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, POLICY } from '../domain/examples.ts'
import {
  type CreateStores,
  FAULTY,
  issued,
  type MailOutcomeStores,
  opened,
  overheard,
  PROVENANCE,
} from './stores.ts'

const delayed: MailEvent = { outcome: 'delayed', at: afterNoon(4.5) }
const delivered: MailEvent = { outcome: 'delivered', at: afterNoon(5) }
const softBounce: MailEvent = { outcome: 'bounced', kind: 'soft-bounce', at: afterNoon(6) }
const hardBounce: MailEvent = { outcome: 'bounced', kind: 'hard-bounce', at: afterNoon(7) }
const complaint: MailEvent = { outcome: 'bounced', kind: 'complaint', at: afterNoon(8) }
const unsubscribed: MailEvent = { outcome: 'suppressed', reason: 'unsubscribed', at: afterNoon(9) }

/** What is relied on where reports about mails come in, whoever stores them. Called once per adapter, each time on an empty store. */
export function mailFatesContract(adapter: string, create: CreateStores<MailOutcomeStores>): void {
  /** An issuance whose mail is being handed over. */
  async function claimed(createStores = create) {
    const stores = await createStores()
    const { id: challengeId } = await opened(stores)
    await issued(stores, challengeId)
    const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
    const { issuance } = delivery!
    return {
      ...{ ...stores, stores, challengeId, issuance },
      hear: (news: MailEvent) => recordMailEvent(stores.mailOutcomes, issuance.id, news, PROVENANCE),
      recordSent: () =>
        stores.outbox.record(issuance, ...OtpIssuance.markSent(issuance, 'm-1', afterNoon(4))),
      stepUp: async () => (await stores.stepUps.load(challengeId))!,
      eventsSince: async (count: number) =>
        (await stores.trail.eventsOf(challengeId)).slice(count).map(({ type }) => type),
    }
  }

  test.serial(`${adapter}: there is no fate of an unknown issuance`, async (t) => {
    const { mailOutcomes } = await create()

    t.is(await mailOutcomes.load(randomUUID()), undefined)
  })

  test.serial(`${adapter}: a fate is loaded as the issuance and the standing are`, async (t) => {
    const { mailOutcomes, issuance, stepUp } = await claimed()

    const { standing } = await stepUp()
    t.deepEqual(await mailOutcomes.load(issuance.id), { issuance, standing })
  })

  for (const [what, news] of [
    ['delay', delayed],
    ['delivery', delivered],
    ['soft bounce', softBounce],
    ['hard bounce', hardBounce],
    ['complaint', complaint],
    ['withdrawal of an address', unsubscribed],
  ] as const) {
    test.serial(
      `${adapter}: a ${what} is loaded as it was decided, with its events on the trail`,
      async (t) => {
        const { mailOutcomes, issuance, recordSent, stepUp, trail, challengeId } = await claimed()
        await recordSent()
        const before = (await mailOutcomes.load(issuance.id))!
        const decision = MailOutcome.record(before, news)!

        t.true(await mailOutcomes.save(before, decision, PROVENANCE))

        const after = await stepUp()
        t.deepEqual(after.issuance, decision.issuance ?? before.issuance)
        t.deepEqual(after.standing.suppression, decision.standing?.suppression)
        t.is(after.standing.version, before.standing.version + (decision.standing ? 1 : 0))
        t.deepEqual(
          (await trail.eventsOf(challengeId)).slice(3),
          decision.events.map((event) => ({ ...event, ...PROVENANCE })),
        )
      },
    )
  }

  test.serial(`${adapter}: a mail that is reported about is not handed over again`, async (t) => {
    const { outbox, hear } = await claimed()

    await hear(delivered)

    t.deepEqual(await outbox.claim(1, afterNoon(60), afterNoon(90)), [])
  })

  test.serial(`${adapter}: a report on something that has changed since is refused whole`, async (t) => {
    const { mailOutcomes, issuance, hear, stepUp, eventsSince } = await claimed()
    const before = (await mailOutcomes.load(issuance.id))!
    for (const change of [delayed, delivered, softBounce, complaint]) {
      await hear(change)
      const known = await stepUp()
      for (const news of [delayed, delivered, softBounce, hardBounce]) {
        t.false(await mailOutcomes.save(before, MailOutcome.record(before, news)!, PROVENANCE))
      }
      t.deepEqual(await stepUp(), known)
    }
    t.deepEqual(await eventsSince(2), [
      ...['otp-delayed', 'otp-delivered', 'otp-bounced', 'otp-bounced', 'address-suppressed'],
    ])
  })

  test.serial(`${adapter}: a report is refused if another of the same kind came first`, async (t) => {
    const { mailOutcomes, issuance, hear } = await claimed()
    await hear(softBounce)
    const before = (await mailOutcomes.load(issuance.id))!
    await hear({ ...softBounce, at: afterNoon(5) })

    const earliest = MailOutcome.record(before, { ...softBounce, at: afterNoon(5.5) })!

    t.false(await mailOutcomes.save(before, earliest, PROVENANCE))
  })

  test.serial(`${adapter}: a hand-over that is recorded while a report is weighed is kept`, async (t) => {
    const { mailOutcomes, issuance, recordSent } = await claimed()
    const before = (await mailOutcomes.load(issuance.id))!
    await recordSent()

    t.true(await mailOutcomes.save(before, MailOutcome.record(before, delivered)!, PROVENANCE))

    t.like(await mailOutcomes.load(issuance.id), {
      issuance: { status: 'delivered', sentAt: afterNoon(4), messageId: 'm-1' },
    })
  })

  test.serial(
    `${adapter}: a delay that is weighed meanwhile undoes neither a claim nor the record of sending`,
    async (t) => {
      const { mailOutcomes, outbox, issuance, recordSent } = await claimed()
      const before = (await mailOutcomes.load(issuance.id))!
      const decision = MailOutcome.record(before, delayed)!
      await recordSent()

      t.true(await mailOutcomes.save(before, decision, PROVENANCE))

      t.like(await mailOutcomes.load(issuance.id), {
        issuance: { status: 'sent', sentAt: afterNoon(4), messageId: 'm-1', delayedAt: afterNoon(4.5) },
      })
      t.deepEqual(await outbox.claim(1, afterNoon(60), afterNoon(90)), [])
    },
  )

  test.serial(
    `${adapter}: a delay that is reported before the mail is recorded as sent stays, and the mail is recorded`,
    async (t) => {
      const { hear, recordSent, stepUp } = await claimed()
      await hear(delayed)
      t.like((await stepUp()).issuance, { status: 'queued', delayedAt: afterNoon(4.5) })

      t.true(await recordSent())

      t.like((await stepUp()).issuance, { status: 'sent', delayedAt: afterNoon(4.5) })
    },
  )

  test.serial(
    `${adapter}: an attempt that is claimed while a report is weighed is kept, and ends the delivery`,
    async (t) => {
      const { mailOutcomes, outbox, issuance } = await claimed()
      const before = (await mailOutcomes.load(issuance.id))!
      await outbox.claim(1, afterNoon(30), afterNoon(60))

      t.true(await mailOutcomes.save(before, MailOutcome.record(before, delivered)!, PROVENANCE))

      t.like(await mailOutcomes.load(issuance.id), { issuance: { status: 'delivered', deliveryAttempts: 2 } })
      t.deepEqual(await outbox.claim(1, afterNoon(90), afterNoon(120)), [])
    },
  )

  test.serial(`${adapter}: a bounce that was weighed against an old standing is refused whole`, async (t) => {
    const { stores, mailOutcomes, issuance, stepUp, challengeId } = await claimed()
    const before = (await mailOutcomes.load(issuance.id))!
    await issued(stores, challengeId, afterNoon(60))

    t.false(await mailOutcomes.save(before, MailOutcome.record(before, hardBounce)!, PROVENANCE))

    t.like(await mailOutcomes.load(issuance.id), { issuance: { status: 'queued' } })
    t.is((await stepUp()).standing.suppression, undefined)
  })

  test.serial(`${adapter}: a delivery does not mind what is decided about the subject`, async (t) => {
    const { stores, mailOutcomes, issuance, challengeId } = await claimed()
    const before = (await mailOutcomes.load(issuance.id))!
    await issued(stores, challengeId, afterNoon(60))

    t.true(await mailOutcomes.save(before, MailOutcome.record(before, delivered)!, PROVENANCE))
    t.like(await mailOutcomes.load(issuance.id), { issuance: { status: 'delivered' } })
  })

  test.serial(
    `${adapter}: an issuance decided before the address was taken out of use can no longer be saved`,
    async (t) => {
      const { stepUps, hear, stepUp } = await claimed()
      const demand = { id: randomUUID(), keyId: 'k1', recipient: ALICE }
      const decision = StepUp.issueOtp(await stepUp(), demand, POLICY, afterNoon(60))

      await hear(hardBounce)

      t.false(await stepUps.save(decision, PROVENANCE))
    },
  )

  for (const report of [delivered, hardBounce]) {
    test.serial(
      `${adapter}: the hand-over is recorded into what was reported before it (${report.outcome})`,
      async (t) => {
        const { hear, recordSent, stepUp, trail, challengeId } = await claimed()
        await hear(report)
        const reported = (await stepUp()).issuance!
        t.like(reported, { status: report.outcome, sentAt: undefined })

        t.true(await recordSent())
        t.false(await recordSent())

        t.deepEqual((await stepUp()).issuance, {
          ...reported,
          sentAt: afterNoon(4),
          messageId: 'm-1',
        } as OtpIssuance)
        t.is((await trail.eventsOf(challengeId)).filter(({ type }) => type === 'otp-sent').length, 1)
      },
    )

    test.serial(
      `${adapter}: a hand-over without an answer is not tried again, nor given up, once reported (${report.outcome})`,
      async (t) => {
        const { outbox, issuance, hear, stepUp } = await claimed()
        await hear(report)
        const reported = await stepUp()

        t.false(await outbox.record(issuance, ...OtpIssuance.defer(issuance, afterNoon(6))))
        t.false(await outbox.record(issuance, ...OtpIssuance.fail(issuance, 'code-expired', afterNoon(6))))

        t.deepEqual(await stepUp(), reported)
      },
    )
  }

  test.serial(`${adapter}: record and reports come to the same, whatever their order`, async (t) => {
    const outcomes: unknown[] = []
    for (const order of permutations(['record', delivered, hardBounce, complaint] as const)) {
      const { hear, recordSent, stepUp } = await claimed()
      for (const each of order) await (each === 'record' ? recordSent() : hear(each))
      const { issuance, standing } = await stepUp()
      const { id: _, challengeId: __, subjectUserId: ___, ...rest } = issuance!
      outcomes.push({ ...rest, suppression: standing.suppression })
    }

    for (const outcome of outcomes) t.deepEqual(outcome, outcomes[0])
    t.like(outcomes[0], {
      ...{ status: 'bounced', kind: 'complaint', messageId: 'm-1' },
      ...{ sentAt: afterNoon(4), deliveredAt: afterNoon(5), bouncedAt: afterNoon(8) },
      suppression: { address: ALICE, reason: 'complaint' },
    })
  })

  test.serial(`${adapter}: record, delay and delivery come to the same, whatever their order`, async (t) => {
    for (const order of permutations(['record', delayed, delivered] as const)) {
      const { hear, recordSent, stepUp } = await claimed()
      for (const each of order) await (each === 'record' ? recordSent() : hear(each))

      t.like((await stepUp()).issuance, {
        ...{ status: 'delivered', messageId: 'm-1' },
        ...{ sentAt: afterNoon(4), delayedAt: afterNoon(4.5), deliveredAt: afterNoon(5) },
      })
    }
  })

  test.serial(`${adapter}: of ten equal reports at once one is stored`, async (t) => {
    const { hear, recordSent, eventsSince } = await claimed()
    await recordSent()

    const receptions = await Promise.all(Array.from({ length: 10 }, () => hear(hardBounce)))

    t.is(receptions.filter((reception) => reception === 'stored').length, 1)
    t.is(receptions.filter((reception) => reception === 'known').length, 9)
    t.deepEqual(await eventsSince(3), ['otp-bounced', 'address-suppressed'])
  })

  test.serial(
    `${adapter}: reports and the record of the hand-over, all at once, lose nothing of each other, time after time`,
    async (t) => {
      for (let round = 0; round < 10; round++) {
        const { hear, recordSent, stepUp, eventsSince } = await claimed()

        await Promise.all([hear(hardBounce), recordSent(), hear(delivered), hear(complaint), hear(delivered)])

        const { issuance, standing } = await stepUp()
        t.like(issuance, {
          ...{ status: 'bounced', kind: 'complaint', messageId: 'm-1' },
          ...{ sentAt: afterNoon(4), deliveredAt: afterNoon(5), bouncedAt: afterNoon(8) },
        })
        t.like(standing.suppression, { address: ALICE, reason: 'complaint' })
        const events = await eventsSince(2)
        for (const type of ['otp-sent', 'otp-delivered', 'address-suppressed']) {
          t.is(events.filter((event) => event === type).length, 1, type)
        }
      }
    },
  )

  test.serial(
    `${adapter}: of bounces of a subject's mails, all at once, the latest stands against the address, time after time`,
    async (t) => {
      for (let round = 0; round < 20; round++) {
        const { stores, mailOutcomes, stepUp, issuance, challengeId } = await claimed()
        const ids = [issuance.id]
        for (const seconds of [60, 120, 240])
          ids.push((await issued(stores, challengeId, afterNoon(seconds))).id)

        await Promise.all(
          ids.map((id, index) =>
            recordMailEvent(mailOutcomes, id, { ...hardBounce, at: afterNoon(300 - index) }, PROVENANCE),
          ),
        )

        t.deepEqual((await stepUp()).standing.suppression?.at, afterNoon(300))
      }
    },
  )

  test.serial(
    `${adapter}: a bounce and decisions about the subject, all at once, lose nothing of each other`,
    async (t) => {
      const { hear, recordSent, stepUp, stores, challengeId } = await claimed()
      await recordSent()

      const [reception, next] = await Promise.all([
        hear(hardBounce),
        issued(stores, challengeId, afterNoon(60)).catch(() => undefined),
      ])

      const { standing, challenge } = await stepUp()
      t.is(reception, 'stored')
      t.is(standing.suppression?.address, ALICE)
      t.is(challenge.issuanceCount, next ? 2 : 1)
    },
  )

  test.serial(
    `${adapter}: of equal reports at once the listener hears of the one that is stored, with its issuance`,
    async (t) => {
      const { stores, commits, storedBefore } = await overheard(create)
      const { hear, issuance, challengeId } = await claimed(async () => stores)
      commits.length = 0

      await Promise.all(Array.from({ length: 10 }, () => hear(hardBounce)))
      await hear(hardBounce)

      const events = await stores.trail.eventsOf(challengeId)
      t.is(commits.length, 1)
      t.deepEqual(
        commits[0]?.events.map((event) => ({ ...event, ...PROVENANCE })),
        events.slice(2),
      )
      t.is(commits[0]?.provenance, PROVENANCE)
      t.like(commits[0]?.issuance, { id: issuance.id, issuedAt: issuance.issuedAt })
      t.true(await storedBefore())
    },
  )

  test.serial(
    `${adapter}: a report that is refused is not heard of, with a suppression or without`,
    async (t) => {
      const { stores, commits } = await overheard(create)
      const { mailOutcomes, issuance, hear, challengeId } = await claimed(async () => stores)
      const before = (await mailOutcomes.load(issuance.id))!
      await hear(softBounce)
      await issued(stores, challengeId, afterNoon(60))
      commits.length = 0

      for (const news of [softBounce, hardBounce, unsubscribed]) {
        t.false(await mailOutcomes.save(before, MailOutcome.record(before, news)!, PROVENANCE))
      }

      t.deepEqual(commits, [])
    },
  )

  test.serial(`${adapter}: a listener that throws leaves a report stored`, async (t) => {
    const { hear, stepUp } = await claimed(() => create(FAULTY))

    t.is(await hear(hardBounce), 'stored')
    t.is((await stepUp()).issuance?.status, 'bounced')
  })
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  )
}
