import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { SupportSearch } from '../../src/application/ports/support-search.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { afterNoon, NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { type CreateStores, issued, PROVENANCE, type Stores } from './stores.ts'

export interface SearchedStores extends Stores {
  readonly supportSearch: SupportSearch
}

/** What the support relies on when it looks for something, whoever keeps it. Called once per adapter. */
export function supportSearchContract(adapter: string, create: CreateStores<SearchedStores>): void {
  async function open(
    { stepUps }: Stores,
    subjectUserId: string,
    { clientId = 'payments', at = NOON, lifetimeInSeconds = undefined as number | undefined } = {},
  ) {
    const demand = { id: randomUUID(), clientId, subjectUserId, operation: TRANSFER, lifetimeInSeconds }
    const [challenge, event] = Challenge.open(demand, POLICY, at)
    await stepUps.open(challenge, event, { key: randomUUID(), fingerprint: 'f' }, PROVENANCE)
    return challenge
  }
  const idsOf = (found: Awaited<ReturnType<SupportSearch['challengesOf']>>) =>
    found.map(({ challenge }) => challenge.id)

  test(`${adapter}: the challenges of a subject come with the latest deadline first, and those of others do not`, async (t) => {
    const stores = await create()
    const subject = randomUUID()
    const early = await open(stores, subject, { at: NOON })
    const late = await open(stores, subject, { at: afterNoon(10) })
    const short = await open(stores, subject, { at: afterNoon(20), lifetimeInSeconds: 1 })
    await open(stores, randomUUID())

    const found = await stores.supportSearch.challengesOf(subject, { limit: 10 })

    t.deepEqual(idsOf(found), [late.id, early.id, short.id])
    t.deepEqual(found[0], { challenge: late, issuance: undefined })
  })

  test(`${adapter}: a found challenge carries its newest code, and its state`, async (t) => {
    const stores = await create()
    const { id, subjectUserId } = await open(stores, randomUUID())
    await issued(stores, id, NOON)
    const second = await issued(stores, id, afterNoon(600))

    const [found] = await stores.supportSearch.challengesOf(subjectUserId, { limit: 10 })

    t.deepEqual(found?.issuance, second)
    t.deepEqual(found?.challenge, (await stores.stepUps.load(id))?.challenge)
  })

  test(`${adapter}: pages leave out no challenge and repeat none, although many end together and others are opened meanwhile`, async (t) => {
    const stores = await create()
    const subject = randomUUID()
    const all = []
    for (let n = 0; n < 11; n++) all.push(await open(stores, subject, { at: afterNoon(Math.floor(n / 4)) }))

    const seen: string[] = []
    let after: { expiresAt: Date; id: string } | undefined
    for (;;) {
      const page = await stores.supportSearch.challengesOf(subject, { after, limit: 3 })
      seen.push(...idsOf(page))
      const last = page.at(-1)?.challenge
      if (!last) break
      after = { expiresAt: last.expiresAt, id: last.id }
      await open(stores, subject, { at: afterNoon(100) })
    }

    t.is(new Set(seen).size, seen.length)
    t.deepEqual(seen.toSorted(), all.map(({ id }) => id).toSorted())
  })

  test(`${adapter}: a page holds no more than its limit, and of one client only that client's`, async (t) => {
    const stores = await create()
    const subject = randomUUID()
    for (let n = 0; n < 3; n++) await open(stores, subject)
    const other = await open(stores, subject, { clientId: 'payees' })

    t.is((await stores.supportSearch.challengesOf(subject, { limit: 2 })).length, 2)
    t.deepEqual(idsOf(await stores.supportSearch.challengesOf(subject, { clientId: 'payees', limit: 10 })), [
      other.id,
    ])
    t.deepEqual(await stores.supportSearch.challengesOf(subject, { clientId: 'nobody', limit: 10 }), [])
  })
}
