import { randomUUID } from 'node:crypto'
import test from 'ava'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { IssuancesSpent } from '../../src/domain/subject-standing.ts'
import { afterNoon, NOON, POLICY } from '../domain/examples.ts'
import { type CreateStores, opened, PROVENANCE, type Stores } from './stores.ts'

const AT_MOST = 3
/** With the places for the first codes of subjects. */
const WITH_FIRST = 5
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

  test.serial(
    `${adapter}: subjects with one mailbox share its budget, however it is spelled, and have it back after an hour`,
    async (t) => {
      const stores = await create()
      const [one, two, three] = spellings()
      for (const [n, recipient] of [one!, two!, three!, one!, two!].entries()) {
        const { id } = await opened(stores)
        t.true(await stores.stepUps.save(await issuing(stores, id, recipient, afterNoon(n * 60)), PROVENANCE))
      }
      const { id } = await opened(stores)
      const before = [await stores.stepUps.load(id), await stores.trail.eventsOf(id)]

      const tooMany = await issuing(stores, id, two!, afterNoon(300))
      const error = await t.throwsAsync(stores.stepUps.save(tooMany, PROVENANCE), {
        instanceOf: IssuancesSpent,
      })

      t.is(error.retryAfterInSeconds, 3300)
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
    },
  )

  test.serial(
    `${adapter}: a burst over many subjects cannot exceed the budget of their mailbox`,
    async (t) => {
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

      t.is(burst.filter((each) => each.status === 'fulfilled' && each.value).length, WITH_FIRST)
      const refused = burst.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
      t.is(refused.length, 24 - WITH_FIRST)
      t.true(
        refused.every((reason) => reason instanceof IssuancesSpent && reason.retryAfterInSeconds === 3600),
      )
      const stored = await Promise.all(decisions.map(({ challenge }) => stores.stepUps.load(challenge.id)))
      t.is(stored.filter((stepUp) => stepUp?.issuance).length, WITH_FIRST)
    },
  )

  test.serial(`${adapter}: a code that lost its race counts for no mailbox`, async (t) => {
    const stores = await create()
    const [address] = spellings()
    const { id } = await opened(stores)
    const decisions = await Promise.all(Array.from({ length: 12 }, () => issuing(stores, id, address!)))

    const race = await Promise.all(decisions.map((decision) => stores.stepUps.save(decision, PROVENANCE)))

    t.is(race.filter(Boolean).length, 1)
    for (let n = 1; n < WITH_FIRST; n++) {
      const { id: another } = await opened(stores)
      t.true(await stores.stepUps.save(await issuing(stores, another, address!), PROVENANCE))
    }
  })

  test.serial(
    `${adapter}: others cannot use up the places of a mailbox that its subjects have for their first code in an hour`,
    async (t) => {
      const stores = await create()
      const [address] = spellings()
      const save = async (subject: string, at = 0) => {
        const { id } = await opened(stores, subject)
        return stores.stepUps.save(await issuing(stores, id, address!, afterNoon(at)), PROVENANCE)
      }
      const [greedy, owner, last, late] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
      for (let n = 0; n < AT_MOST; n++) t.true(await save(greedy))

      await t.throwsAsync(save(greedy, 1), { instanceOf: IssuancesSpent })
      t.true(await save(owner, 1))
      await t.throwsAsync(save(owner, 2), { instanceOf: IssuancesSpent })
      t.true(await save(last, 2))
      await t.throwsAsync(save(late, 3), { instanceOf: IssuancesSpent })
    },
  )

  test.serial(
    `${adapter}: of first and further codes in a burst, only first ones get the places of first ones`,
    async (t) => {
      const stores = await create()
      const addresses = spellings()
      const known = Array.from({ length: AT_MOST }, () => randomUUID())
      const decision = async (subject: string, n: number) =>
        issuing(stores, (await opened(stores, subject)).id, addresses[n % addresses.length]!)
      for (const subject of known) await stores.stepUps.save(await decision(subject, 0), PROVENANCE)
      const further = await Promise.all(known.map(decision))
      const first = await Promise.all(Array.from({ length: 9 }, (_, n) => decision(randomUUID(), n)))

      const burst = await Promise.allSettled(
        [...further, ...first].map((each) => stores.stepUps.save(each, PROVENANCE)),
      )

      const stored = burst.map((each) => each.status === 'fulfilled' && each.value)
      t.is(stored.slice(0, AT_MOST).filter(Boolean).length, 0)
      t.is(stored.slice(AT_MOST).filter(Boolean).length, WITH_FIRST - AT_MOST)
    },
  )

  test.serial(`${adapter}: one mailbox takes nothing from another`, async (t) => {
    const stores = await create()
    const [address] = spellings()
    for (let n = 0; n < WITH_FIRST; n++) {
      const { id } = await opened(stores)
      await stores.stepUps.save(await issuing(stores, id, address!), PROVENANCE)
    }

    for (const other of [`x${address}`, address!.replace('@', '+tag@'), address!.replace('@', '@mail.')]) {
      const { id } = await opened(stores)
      t.true(await stores.stepUps.save(await issuing(stores, id, EmailAddress.parse(other)), PROVENANCE))
    }
  })
}
