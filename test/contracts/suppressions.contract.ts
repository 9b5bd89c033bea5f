import { randomUUID } from 'node:crypto'
import test from 'ava'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { afterNoon, NOON, POLICY } from '../domain/examples.ts'
import { type CreateStores, FAULTY, type MailOutcomeStores, opened, overheard, PROVENANCE } from './stores.ts'

/** What those rely on who lift suppressions, whoever keeps them. Called once per adapter. */
export function suppressionsContract(adapter: string, create: CreateStores<MailOutcomeStores>): void {
  const addressOf = (subjectUserId: string) => EmailAddress.parse(`${subjectUserId}@Example.com`)
  const mailboxOf = (address: string) => EmailAddress.mailboxKey(EmailAddress.parse(address))
  const suppressed = (standing: SubjectStanding, seconds = 1) =>
    SubjectStanding.suppress(standing, {
      address: addressOf(standing.subjectUserId),
      reason: 'hard-bounce',
      at: afterNoon(seconds),
    })

  async function suppressedSubject(stores: MailOutcomeStores) {
    const { id, subjectUserId } = await opened(stores)
    const standing = suppressed((await stores.suppressions.findBySubject(subjectUserId))!)
    await stores.suppressions.save(standing, [], PROVENANCE)
    return { id, subjectUserId, address: addressOf(subjectUserId) }
  }

  test.serial(`${adapter}: a subject about whom nothing was decided has no standing`, async (t) => {
    const { suppressions } = await create()

    t.is(await suppressions.findBySubject(randomUUID()), undefined)
  })

  test.serial(
    `${adapter}: a suppression is read as it was saved, one version on, and so is its end`,
    async (t) => {
      const stores = await create()
      const { suppressions } = stores
      const { id, subjectUserId } = await opened(stores)
      const before = (await suppressions.findBySubject(subjectUserId))!
      const after = suppressed(before)

      t.true(await suppressions.save(after, [], PROVENANCE))
      t.deepEqual(await suppressions.findBySubject(subjectUserId), { ...after, version: before.version + 1 })
      t.deepEqual((await stores.stepUps.load(id))?.standing.suppression, after.suppression)

      const lifted = SubjectStanding.lift((await suppressions.findBySubject(subjectUserId))!, afterNoon(2))
      t.true(await suppressions.save(lifted, [], PROVENANCE))
      t.deepEqual(await suppressions.findBySubject(subjectUserId), { ...lifted, version: before.version + 2 })
    },
  )

  test.serial(`${adapter}: a suppression outlasts other decisions about the subject`, async (t) => {
    const stores = await create()
    const { id, address } = await suppressedSubject(stores)
    const stepUp = (await stores.stepUps.load(id))!

    const demand = { id: randomUUID(), keyId: 'k1', recipient: address }
    t.true(await stores.stepUps.save(StepUp.issueOtp(stepUp, demand, POLICY, NOON), PROVENANCE))

    t.is((await stores.stepUps.load(id))?.standing.suppression?.address, address)
  })

  test.serial(
    `${adapter}: subjects are found by the mailbox that is out of use, and only while it is`,
    async (t) => {
      const stores = await create()
      const { subjectUserId, address } = await suppressedSubject(stores)
      await suppressedSubject(stores)

      t.deepEqual(
        (await stores.suppressions.findByMailbox(mailboxOf(address.toUpperCase()))).map(
          (standing) => standing.subjectUserId,
        ),
        [subjectUserId],
      )

      const [standing] = await stores.suppressions.findByMailbox(mailboxOf(address))
      await stores.suppressions.save(SubjectStanding.lift(standing!, afterNoon(2)), [], PROVENANCE)
      t.deepEqual(await stores.suppressions.findByMailbox(mailboxOf(address)), [])
    },
  )

  test.serial(
    `${adapter}: a suppression supersedes decisions made before it, and is superseded by them`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId } = await opened(stores)
      const stepUp = (await stores.stepUps.load(id))!
      const demand = { id: randomUUID(), keyId: 'k1', recipient: addressOf(subjectUserId) }
      const decision = StepUp.issueOtp(stepUp, demand, POLICY, NOON)

      t.true(await stores.suppressions.save(suppressed(stepUp.standing), [], PROVENANCE))
      t.false(await stores.stepUps.save(decision, PROVENANCE))
      t.false(await stores.suppressions.save(suppressed(stepUp.standing, 2), [], PROVENANCE))
      t.deepEqual((await stores.suppressions.findBySubject(subjectUserId))?.suppression?.at, afterNoon(1))
    },
  )

  test.serial(`${adapter}: of ten lifts of one version one is saved, with its event`, async (t) => {
    const stores = await create()
    const { id, subjectUserId } = await suppressedSubject(stores)
    const standing = (await stores.suppressions.findBySubject(subjectUserId))!
    const lifted = SubjectStanding.lift(standing, afterNoon(2))
    const event = {
      type: 'address-suppressed' as const,
      challengeId: id,
      subjectUserId,
      issuanceId: randomUUID(),
      reason: 'refused' as const,
      at: afterNoon(2),
    }

    const saved = await Promise.all(
      Array.from({ length: 10 }, () => stores.suppressions.save(lifted, [event], PROVENANCE)),
    )

    t.is(saved.filter(Boolean).length, 1)
    t.deepEqual(
      (await stores.trail.eventsOf(id)).filter(({ type }) => type === 'address-suppressed'),
      [{ ...event, ...PROVENANCE }],
    )
  })

  test.serial(`${adapter}: an erased user's address is forgotten as one out of use too`, async (t) => {
    const stores = await create()
    const { subjectUserId: userId, address } = await suppressedSubject(stores)
    await stores.registry.put({ userId, email: address }, NOON, PROVENANCE)

    await stores.registry.erase(userId, afterNoon(3), PROVENANCE)

    t.deepEqual(await stores.suppressions.findByMailbox(mailboxOf(address)), [])
    t.is((await stores.suppressions.findBySubject(userId))?.suppression, undefined)
  })

  test(`${adapter}: the address out of use of a user whose entry is elsewhere is forgotten too`, async (t) => {
    const stores = await create()
    const { subjectUserId, address } = await suppressedSubject(stores)

    await stores.registry.erase(subjectUserId, afterNoon(3), PROVENANCE)

    t.deepEqual(await stores.suppressions.findByMailbox(mailboxOf(address)), [])
    t.is((await stores.suppressions.findBySubject(subjectUserId))?.suppression, undefined)
  })

  test.serial(
    `${adapter}: of ten lifts of one version the listener hears of the one that is saved, and of none without an event`,
    async (t) => {
      const { stores, commits } = await overheard(create)
      const { subjectUserId } = await suppressedSubject(stores)
      const standing = (await stores.suppressions.findBySubject(subjectUserId))!
      commits.length = 0
      const at = afterNoon(2)
      const events = [{ type: 'suppression-lifted' as const, subjectUserId, at }]

      await Promise.all(
        Array.from({ length: 10 }, () =>
          stores.suppressions.save(SubjectStanding.lift(standing, at), events, PROVENANCE),
        ),
      )
      t.deepEqual(commits, [{ events, provenance: PROVENANCE }])

      const lifted = (await stores.suppressions.findBySubject(subjectUserId))!
      t.true(await stores.suppressions.save(SubjectStanding.lift(lifted, afterNoon(3)), [], PROVENANCE))
      t.is(commits.length, 1)
    },
  )

  test.serial(`${adapter}: a listener that throws leaves the end of a suppression saved`, async (t) => {
    const stores = await create(FAULTY)
    const { subjectUserId } = await suppressedSubject(stores)
    const standing = (await stores.suppressions.findBySubject(subjectUserId))!
    const event = { type: 'suppression-lifted' as const, subjectUserId, at: afterNoon(2) }

    t.true(await stores.suppressions.save(SubjectStanding.lift(standing, afterNoon(2)), [event], PROVENANCE))
    t.is((await stores.suppressions.findBySubject(subjectUserId))?.suppression?.address, undefined)
  })
}
