import { createHash, randomUUID } from 'node:crypto'
import test from 'ava'
import { v7 } from 'uuid'
import type { SupportSearch } from '../../src/application/ports/support-search.ts'
import { idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { type CreateStores, idOf, issued, type MailOutcomeStores, PROVENANCE, type Stores } from './stores.ts'

export interface SearchedStores extends MailOutcomeStores {
  readonly supportSearch: SupportSearch
}

/** What the support relies on when it looks for something, whoever keeps it. Called once per adapter. */
export function supportSearchContract(adapter: string, create: CreateStores<SearchedStores>): void {
  async function open(
    { stepUps }: Stores,
    subjectUserId: string,
    {
      clientId = 'payments',
      at = NOON,
      id = idOf(subjectUserId),
      lifetimeInSeconds = undefined as number | undefined,
    } = {},
  ) {
    const demand = { id, clientId, subjectUserId, operation: TRANSFER, lifetimeInSeconds }
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

  /** Issues a code under an id that rises with time. */
  async function issueAt({ stepUps }: Stores, challengeId: string, at: Date) {
    const stepUp = (await stepUps.load(challengeId))!
    const id = v7({ msecs: at.getTime() })
    const decision = StepUp.issueOtp(stepUp, { id, keyId: 'k1', recipient: ALICE }, POLICY, at)
    if (!(await stepUps.save(decision, PROVENANCE))) throw new Error('lost a race that nobody runs')
    return decision.issued
  }

  test(`${adapter}: a challenge is found by the mark of any of its codes, within the time alone`, async (t) => {
    const stores = await create()
    const { id } = await open(stores, randomUUID(), { lifetimeInSeconds: 3600 })
    const first = await issueAt(stores, id, afterNoon(60))
    const second = await issueAt(stores, id, afterNoon(600))
    const marked = (issuance: OtpIssuance, from: number, until: number) =>
      stores.supportSearch.challengesMarked(
        OtpIssuance.reference(issuance),
        afterNoon(from),
        afterNoon(until),
      )
    const mine = (found: Awaited<ReturnType<typeof marked>>) =>
      found.filter(({ challenge }) => challenge.id === id).map(({ issuance }) => issuance)

    t.deepEqual(mine(await marked(first, 60, 61)), [first])
    t.deepEqual(mine(await marked(second, 0, 700)), [second])
    t.deepEqual(mine(await marked(first, 61, 700)), [])
    t.deepEqual(mine(await marked(first, 0, 60)), [])
    t.deepEqual((await marked(first, 0, 700))[0]?.challenge, (await stores.stepUps.load(id))?.challenge)
  })

  test(`${adapter}: of codes with one mark the newest comes first`, async (t) => {
    const stores = await create()
    const digits = randomUUID().slice(-6)
    const twins: string[] = []
    let mark = ''
    for (const seconds of [0, 1, 2]) {
      const subject = randomUUID()
      const challengeId = idInBucketOf(subject, `${randomUUID().slice(0, -9)}${digits}000`)
      await open(stores, subject, { id: challengeId })
      mark = OtpIssuance.reference((await issueAt(stores, challengeId, afterNoon(seconds)))!)
      twins.unshift(challengeId)
    }

    const found = await stores.supportSearch.challengesMarked(mark, NOON, afterNoon(60))

    t.deepEqual(
      idsOf(found).filter((id) => twins.includes(id)),
      twins,
    )
  })

  test(`${adapter}: users are found by the hash of their address, however it is spelled`, async (t) => {
    const stores = await create()
    const [one, other, third] = [randomUUID(), randomUUID(), randomUUID()].toSorted()
    const email = EmailAddress.parse(`${one}@Example.com`)
    const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
    await stores.registry.put({ userId: one!, email }, NOON, PROVENANCE)
    await stores.registry.put(
      { userId: other!, email: EmailAddress.parse(email.toUpperCase()) },
      NOON,
      PROVENANCE,
    )
    await stores.registry.put({ userId: third!, email: ALICE }, NOON, PROVENANCE)

    t.deepEqual(await stores.supportSearch.subjectsOfMailbox(hashOf(`${one}@example.com`)), [one, other])
    t.deepEqual(await stores.supportSearch.subjectsOfMailbox(hashOf(`${one}@Example.com`)), [])
    t.deepEqual(await stores.supportSearch.subjectsOfMailbox(hashOf('nobody@example.com')), [])
  })

  test(`${adapter}: a user without an entry is found by the address that gets no mail, until it is lifted`, async (t) => {
    const stores = await create()
    const { subjectUserId } = await open(stores, randomUUID())
    const address = EmailAddress.parse(`${subjectUserId}@Example.com`)
    const hash = createHash('sha256').update(EmailAddress.mailboxKey(address)).digest('hex')
    const standing = (await stores.suppressions.findBySubject(subjectUserId))!
    const suppression = { address, reason: 'hard-bounce', at: NOON } as const
    await stores.suppressions.save(SubjectStanding.suppress(standing, suppression), [], PROVENANCE)

    t.deepEqual(await stores.supportSearch.subjectsOfMailbox(hash), [subjectUserId])

    const suppressed = (await stores.suppressions.findBySubject(subjectUserId))!
    await stores.suppressions.save(SubjectStanding.lift(suppressed, afterNoon(1)), [], PROVENANCE)
    t.deepEqual(await stores.supportSearch.subjectsOfMailbox(hash), [])
  })
}
