import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ConsumeChallenge } from '../../src/application/challenges/consume-challenge.ts'
import { VerifyOtp } from '../../src/application/codes/verify-otp.ts'
import { SubjectMismatch } from '../../src/domain/challenge.ts'
import { NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { PlainTotp } from '../doubles/plain-totp.ts'
import { SettableClock } from '../doubles/settable-clock.ts'
import { type CreateStores, issued, opened, type Stores } from './stores.ts'

const ELSE = 'A'.repeat(43)
const ORIGIN = { requestId: 'r-2', remoteAddress: '198.51.100.7' }

/** What calls leave behind that are refused because of who makes them, or for which operation. Called once per adapter. */
export function refusedCallsContract(adapter: string, create: CreateStores): void {
  async function coded() {
    const stores = await create()
    const { id, subjectUserId } = await opened(stores)
    await stores.registry.put({ userId: subjectUserId, email: (await issued(stores, id)).recipient }, NOON, {
      actor: 'service',
    })
    return { stores, id, subjectUserId }
  }

  const consume = (
    { stepUps }: Stores,
    challengeId: string,
    digest: string,
    key: string = randomUUID(),
    isOurs = true,
  ) => {
    const signer = {
      sign: async () => 'signature',
      verifies: async () => isOurs,
      authorise: async () => 'authorisation',
      publicKeys: () => ({ keys: [] }),
    }
    return new ConsumeChallenge(stepUps, signer, new SettableClock(NOON)).execute({
      ...{ challengeId, clientId: 'payments', signature: 'signature', digest, origin: ORIGIN },
      idempotency: { key, fingerprint: digest },
    })
  }

  const verify = ({ stepUps }: Stores, challengeId: string, userId: string) =>
    new VerifyOtp(
      stepUps,
      new PlainTotp(),
      { next: () => randomUUID() },
      new SettableClock(NOON),
      POLICY,
    ).execute({
      ...{ challengeId, userId, code: '000001', origin: ORIGIN },
    })

  const eventsOf = async ({ trail }: Stores, id: string, type: string) =>
    (await trail.eventsOf(id)).filter((event) => event.type === type)

  test.serial(
    `${adapter}: the third call for another operation ends the challenge, verified or not`,
    async (t) => {
      for (const isVerified of [true, false]) {
        const { stores, id, subjectUserId } = await coded()
        if (isVerified) await verify(stores, id, subjectUserId)

        for (let n = 1; n <= 3; n++) {
          t.like(await consume(stores, id, ELSE), { outcome: 'mismatch', reason: 'digest-mismatch' })
          const { challenge } = (await stores.stepUps.load(id))!
          t.is(challenge.status === 'cancelled', n === 3)
        }

        await t.throwsAsync(consume(stores, id, TRANSFER.digest), { code: 'challenge-cancelled' })
        t.is((await eventsOf(stores, id, 'consumption-refused')).length, 3)
        const cancellations = await eventsOf(stores, id, 'challenge-cancelled')
        t.is(cancellations.length, 1)
        t.like(cancellations[0], { reason: 'operation-mismatch', actor: 'client:payments' })
      }
    },
  )

  test.serial(`${adapter}: two calls for another operation leave the right one its approval`, async (t) => {
    const { stores, id, subjectUserId } = await coded()
    await verify(stores, id, subjectUserId)
    await consume(stores, id, ELSE)
    await consume(stores, id, ELSE)

    t.like(await consume(stores, id, TRANSFER.digest), { outcome: 'consumed' })
  })

  test.serial(`${adapter}: a call for another operation that is repeated counts once`, async (t) => {
    const { stores, id } = await coded()

    for (let n = 0; n < 6; n++) await consume(stores, id, ELSE, 'the same key')

    t.is((await stores.stepUps.load(id))?.challenge.status, 'pending')
  })

  test.serial(
    `${adapter}: calls for three other operations end the challenge, under one key too`,
    async (t) => {
      const { stores, id } = await coded()

      for (const digest of ['B', 'C', 'D']) await consume(stores, id, digest.repeat(43), 'the same key')

      t.is((await stores.stepUps.load(id))?.challenge.status, 'cancelled')
    },
  )

  test.serial(`${adapter}: without the signature nobody ends a challenge by other operations`, async (t) => {
    const { stores, id, subjectUserId } = await coded()
    await verify(stores, id, subjectUserId)

    for (let n = 0; n < 6; n++) {
      t.like(await consume(stores, id, ELSE, randomUUID(), false), { reason: 'signature-mismatch' })
    }

    t.like(await consume(stores, id, TRANSFER.digest), { outcome: 'consumed' })
  })

  test.serial(`${adapter}: parallel calls for another operation are counted one by one`, async (t) => {
    const { stores, id, subjectUserId } = await coded()
    await verify(stores, id, subjectUserId)

    const race = await Promise.allSettled(
      Array.from({ length: 9 }, (_, n) => consume(stores, id, n === 4 ? TRANSFER.digest : ELSE)),
    )

    const consumed = race.filter((each) => each.status === 'fulfilled' && each.value.outcome === 'consumed')
    const cancellations = await eventsOf(stores, id, 'challenge-cancelled')
    t.is(consumed.length + cancellations.length, 1)
    const { status } = (await stores.stepUps.load(id))!.challenge
    t.is(status, consumed.length === 1 ? 'consumed' : 'cancelled')
  })

  test.serial(`${adapter}: eight parallel calls for another operation end the challenge once`, async (t) => {
    const { stores, id } = await coded()

    await Promise.all(Array.from({ length: 8 }, () => consume(stores, id, ELSE)))

    t.is((await stores.stepUps.load(id))?.challenge.status, 'cancelled')
    t.is((await eventsOf(stores, id, 'consumption-refused')).length, 8)
    t.is((await eventsOf(stores, id, 'challenge-cancelled')).length, 1)
  })

  test.serial(
    `${adapter}: a stranger leaves one event, however often they try, and changes nothing`,
    async (t) => {
      const { stores, id, subjectUserId } = await coded()
      const state = async () => {
        const { challenge, standing } = (await stores.stepUps.load(id))!
        return { challenge, standing }
      }
      const before = await state()

      const tries = await Promise.allSettled(
        Array.from({ length: 12 }, () => verify(stores, id, `mallory of ${id}`)),
      )

      t.true(tries.every((each) => each.status === 'rejected' && each.reason instanceof SubjectMismatch))
      const [event, ...others] = await eventsOf(stores, id, 'stranger-refused')
      t.like(event, {
        subjectUserId: `mallory of ${id}`,
        actor: `user:mallory of ${id}`,
        at: NOON,
        ...ORIGIN,
      })
      t.deepEqual(others, [])
      t.deepEqual(await state(), before)
      t.like(await verify(stores, id, subjectUserId), { outcome: 'verified' })
      t.is((await eventsOf(stores, id, 'stranger-refused')).length, 1)
    },
  )

  test.serial(`${adapter}: many strangers leave ten events at most`, async (t) => {
    const { stores, id } = await coded()

    for (let n = 0; n < 14; n++) await t.throwsAsync(verify(stores, id, `mallory-${n}`))

    t.is((await eventsOf(stores, id, 'stranger-refused')).length, 10)
  })

  test.serial(`${adapter}: the subject leaves no event of a stranger`, async (t) => {
    const { stores, id, subjectUserId } = await coded()

    await verify(stores, id, subjectUserId)

    t.deepEqual(await eventsOf(stores, id, 'stranger-refused'), [])
  })
}
