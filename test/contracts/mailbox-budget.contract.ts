import { randomUUID } from 'node:crypto'
import test from 'ava'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { IssuancesSpent } from '../../src/domain/subject-standing.ts'
import { afterNoon, NOON, POLICY } from '../domain/examples.ts'
import { type CreateStores, opened, PROVENANCE, type Stores } from './stores.ts'

const AT_MOST = 3
const POLICY_OF_THREE = { ...POLICY, mailboxMaxIssuancesPerHour: AT_MOST }

/** What nobody can make a mailbox get more of than the policy allows. Called once per adapter. */
export function mailboxBudgetContract(adapter: string, create: CreateStores): void {
  /** An address of its own, and the same in other spellings. */
  const spellings = () => {
    const name = randomUUID()
    return [
      `${name}@bücher.example`,
      `${name.toUpperCase()}@xn--bcher-kva.example`,
      `${name}@BÜCHER.Example`,
    ].map((text) => EmailAddress.parse(text))
  }

  /** The decision to issue a code for a fresh challenge of a fresh subject. */
  const issuing = async ({ stepUps }: Stores, id: string, recipient: EmailAddress, now = NOON) =>
    StepUp.issueOtp(
      (await stepUps.load(id))!,
      { id: randomUUID(), keyId: 'k1', recipient },
      POLICY_OF_THREE,
      now,
    )

  test(`${adapter}: subjects with one mailbox share its budget, however it is spelled, and have it back after an hour`, async (t) => {
    const stores = await create()
    const [one, two, three] = spellings()
    for (const [recipient, at] of [
      [one!, 0],
      [two!, 60],
      [three!, 120],
    ] as const) {
      const { id } = await opened(stores)
      t.true(await stores.stepUps.save(await issuing(stores, id, recipient, afterNoon(at)), PROVENANCE))
    }
    const { id } = await opened(stores)
    const before = [await stores.stepUps.load(id), await stores.trail.eventsOf(id)]

    const tooMany = await issuing(stores, id, two!, afterNoon(180))
    const error = await t.throwsAsync(stores.stepUps.save(tooMany, PROVENANCE), {
      instanceOf: IssuancesSpent,
    })

    t.is(error.retryAfterInSeconds, 3420)
    t.deepEqual([await stores.stepUps.load(id), await stores.trail.eventsOf(id)], before)

    const policy = { ...POLICY_OF_THREE, challengeLifetimeInSeconds: 86_400 }
    const late = await opened(stores, randomUUID(), policy)
    const beforeTheHour = await issuing(stores, late.id, one!, afterNoon(3599.999))
    await t.throwsAsync(stores.stepUps.save(beforeTheHour, PROVENANCE), { instanceOf: IssuancesSpent })
    t.true(await stores.stepUps.save(await issuing(stores, late.id, one!, afterNoon(3600)), PROVENANCE))
    const other = await opened(stores, randomUUID(), policy)
    await t.throwsAsync(
      stores.stepUps.save(await issuing(stores, other.id, one!, afterNoon(3600)), PROVENANCE),
      {
        instanceOf: IssuancesSpent,
      },
    )
  })

  test(`${adapter}: a burst over many subjects cannot exceed the budget of their mailbox`, async (t) => {
    const stores = await create()
    const addresses = spellings()
    const decisions = await Promise.all(
      Array.from({ length: 24 }, async (_, n) =>
        issuing(stores, (await opened(stores)).id, addresses[n % addresses.length]!),
      ),
    )

    const burst = await Promise.allSettled(
      decisions.map((decision) => stores.stepUps.save(decision, PROVENANCE)),
    )

    t.is(burst.filter((each) => each.status === 'fulfilled' && each.value).length, AT_MOST)
    const refused = burst.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    t.is(refused.length, 24 - AT_MOST)
    t.true(refused.every((reason) => reason instanceof IssuancesSpent && reason.retryAfterInSeconds === 3600))
    const stored = await Promise.all(decisions.map(({ challenge }) => stores.stepUps.load(challenge.id)))
    t.is(stored.filter((stepUp) => stepUp?.issuance).length, AT_MOST)
  })

  test(`${adapter}: a code that lost its race counts for no mailbox`, async (t) => {
    const stores = await create()
    const [address] = spellings()
    const { id } = await opened(stores)
    const decisions = await Promise.all(Array.from({ length: 12 }, () => issuing(stores, id, address!)))

    const race = await Promise.all(decisions.map((decision) => stores.stepUps.save(decision, PROVENANCE)))

    t.is(race.filter(Boolean).length, 1)
    for (let n = 1; n < AT_MOST; n++) {
      const { id: another } = await opened(stores)
      t.true(await stores.stepUps.save(await issuing(stores, another, address!), PROVENANCE))
    }
  })

  test(`${adapter}: one mailbox takes nothing from another`, async (t) => {
    const stores = await create()
    const [address] = spellings()
    for (let n = 0; n < AT_MOST; n++) {
      const { id } = await opened(stores)
      await stores.stepUps.save(await issuing(stores, id, address!), PROVENANCE)
    }

    for (const other of [`x${address}`, address!.replace('@', '+tag@'), address!.replace('@', '@mail.')]) {
      const { id } = await opened(stores)
      t.true(await stores.stepUps.save(await issuing(stores, id, EmailAddress.parse(other)), PROVENANCE))
    }
  })
}
