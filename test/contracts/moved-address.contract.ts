import { randomUUID } from 'node:crypto'
import test from 'ava'
import { AddressCheckedStepUps } from '../../src/application/challenges/address-checked-step-ups.ts'
import { AuditChallenge } from '../../src/application/challenges/audit-challenge.ts'
import { CancelChallenge } from '../../src/application/challenges/cancel-challenge.ts'
import { ConsumeChallenge } from '../../src/application/challenges/consume-challenge.ts'
import { InspectChallenge } from '../../src/application/challenges/inspect-challenge.ts'
import { IssueOtp } from '../../src/application/codes/issue-otp.ts'
import { VerifyOtp } from '../../src/application/codes/verify-otp.ts'
import { DirectoryUnavailable } from '../../src/application/ports/user-directory.ts'
import { ChallengeOver, SubjectMismatch } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import type { Whereabouts } from '../../src/domain/user.ts'
import { ALICE, afterNoon, NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { PlainTotp } from '../doubles/plain-totp.ts'
import { SettableClock } from '../doubles/settable-clock.ts'
import { issued, opened, type Stores } from './stores.ts'

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')
const PAYMENTS = { kind: 'client', clientId: 'payments', scopes: new Set<string>() } as const
const ORIGIN = { requestId: 'r-2' }

type Absence = Extract<Whereabouts, { readonly user: undefined }>['because']

/**
 * What callers rely on when another system keeps the users, and one of them gets another address or is gone. Called once per
 * adapter of the storage.
 */
export function movedAddressContract(adapter: string, create: () => Promise<Stores>): void {
  /** A challenge whose code went to Alice's address, under a directory that a test can change. */
  async function coded() {
    const stores = await create()
    const clock = new SettableClock(NOON)
    const directory = {
      locate: async (userId: string): Promise<Whereabouts> => ({ user: { userId, email: ALICE } }),
    }
    const challenge = await opened(stores)
    await issued(stores, challenge.id)
    return {
      stores,
      clock,
      directory,
      ...{ challengeId: challenge.id, userId: challenge.subjectUserId },
      /** The user has another address from now on. */
      move: () => {
        directory.locate = async (userId) => ({ user: { userId, email: ELSEWHERE } })
      },
      /** The directory has no usable user from now on. */
      lose: (because: Absence) => {
        directory.locate = async () => ({ user: undefined, because })
      },
      /** Everything that a read may not change. */
      stored: async () => ({
        stepUp: await stores.stepUps.load(challenge.id),
        events: await stores.trail.eventsOf(challenge.id),
      }),
      cancellations: async () =>
        (await stores.trail.eventsOf(challenge.id)).filter(({ type }) => type === 'challenge-cancelled'),
      /** The use cases of a process of its own. */
      process: () => useCases(stores, directory, clock, challenge.id, challenge.subjectUserId),
    }
  }

  test(`${adapter}: a read of a challenge whose user has moved shows it cancelled, and stores nothing`, async (t) => {
    const { move, stored, process } = await coded()
    const before = await stored()
    move()

    for (const { inspect, audit } of [process(), process(), process()]) {
      t.like(await inspect(), { status: 'cancelled', resendAvailableAt: undefined })
      t.deepEqual(await audit(), before.events)
    }

    t.deepEqual(await stored(), before)
  })

  test(`${adapter}: the decision that stores the cancellation changes nothing for a reader`, async (t) => {
    const { move, process } = await coded()
    const { inspect, verify } = process()
    move()
    const before = await inspect()
    await t.throwsAsync(verify(), { code: 'challenge-cancelled' })

    t.deepEqual(await inspect(), before)
  })

  for (const decision of ['initiate', 'verify', 'consume'] as const) {
    test(`${adapter}: ${decision} refuses once the user has moved, and the cancellation is stored once`, async (t) => {
      const { move, cancellations, stores, challengeId, process } = await coded()
      move()

      for (let n = 0; n < 2; n++) {
        await t.throwsAsync(process()[decision](), {
          instanceOf: ChallengeOver,
          code: 'challenge-cancelled',
        })
      }

      t.is((await stores.stepUps.load(challengeId))?.challenge.status, 'cancelled')
      const [cancellation, ...others] = await cancellations()
      t.like(cancellation, { reason: 'email-address-changed', actor: 'service', at: NOON })
      t.is(cancellation?.requestId, undefined)
      t.deepEqual(others, [])
    })
  }

  test(`${adapter}: an address that changes only by its case cancels nothing`, async (t) => {
    const { directory, cancellations, process } = await coded()
    directory.locate = async (userId) => ({
      user: { userId, email: EmailAddress.parse('Alice@EXAMPLE.Com') },
    })

    t.like(await process().inspect(), { status: 'pending' })
    t.deepEqual(await process().verify(), { outcome: 'verified' })
    t.like(await process().inspect(), { status: 'verified' })
    await process().consume()
    t.deepEqual(await cancellations(), [])
  })

  test(`${adapter}: a verified challenge cannot be consumed once its user has moved`, async (t) => {
    const { move, cancellations, process } = await coded()
    await process().verify()
    move()

    await t.throwsAsync(process().consume(), { instanceOf: ChallengeOver, code: 'challenge-cancelled' })
    t.is((await cancellations()).length, 1)
  })

  test(`${adapter}: to cancel once the user has moved succeeds, with the move as the reason on record`, async (t) => {
    const { move, cancellations, process } = await coded()
    move()

    await process().cancel()
    await process().cancel()

    const [cancellation, ...others] = await cancellations()
    t.like(cancellation, { reason: 'email-address-changed', actor: 'service' })
    t.deepEqual(others, [])
  })

  test(`${adapter}: a repeated consume gets its answer after the user has moved, and ends nothing`, async (t) => {
    const { move, stored, process } = await coded()
    await process().verify()
    const first = await process().consume()
    const before = await stored()
    move()

    t.deepEqual(await process().consume(), first)
    t.deepEqual(await stored(), before)
  })

  test(`${adapter}: processes that decide at the same time after a move store one cancellation`, async (t) => {
    const { move, cancellations, process } = await coded()
    move()

    const race = await Promise.allSettled(
      Array.from({ length: 4 }, () => process()).flatMap(({ initiate, verify, consume, cancel, inspect }) => [
        initiate(),
        verify(),
        consume(),
        cancel(),
        inspect(),
      ]),
    )

    const refusals = race.filter((each) => each.status === 'rejected').map(({ reason }) => reason)
    t.is(refusals.length, 12)
    t.true(refusals.every((each) => each instanceof ChallengeOver && each.code === 'challenge-cancelled'))
    t.is((await cancellations()).length, 1)
  })

  test(`${adapter}: a stranger gets the same refusal before and after the move`, async (t) => {
    const { move, process } = await coded()
    const refused = { instanceOf: SubjectMismatch }

    await t.throwsAsync(process().verify('mallory'), refused)
    move()
    await t.throwsAsync(process().verify('mallory'), refused)
  })

  test(`${adapter}: an address that is the same ends nothing`, async (t) => {
    const { cancellations, process } = await coded()

    t.like(await process().verify(), { outcome: 'verified' })
    t.deepEqual(await cancellations(), [])
  })

  for (const because of ['absent', 'disabled', 'no-address'] as const) {
    for (const [decision, code] of [
      ['initiate', 'user-unreachable'],
      ['verify', 'challenge-cancelled'],
      ['consume', 'challenge-cancelled'],
    ] as const) {
      test(`${adapter}: ${decision} refuses for a user who is ${because}, and ends the challenge once`, async (t) => {
        const { lose, cancellations, stores, challengeId, process } = await coded()
        if (decision === 'consume') await process().verify()
        lose(because)

        for (let n = 0; n < 2; n++) await t.throwsAsync(process()[decision](), { code })

        t.is((await stores.stepUps.load(challengeId))?.challenge.status, 'cancelled')
        const [cancellation, ...others] = await cancellations()
        t.like(cancellation, { reason: 'user-gone', actor: 'service', at: NOON })
        t.deepEqual(others, [])
      })
    }

    test(`${adapter}: a read for a user who is ${because} shows the challenge cancelled, and stores nothing`, async (t) => {
      const { lose, stored, process } = await coded()
      const before = await stored()
      lose(because)

      t.like(await process().inspect(), { status: 'cancelled', resendAvailableAt: undefined })
      t.deepEqual(await stored(), before)
    })

    test(`${adapter}: an expired challenge of a user who is ${because} stays expired`, async (t) => {
      const { lose, clock, stored, process } = await coded()
      const before = await stored()
      clock.pass(900)
      lose(because)

      await t.throwsAsync(process().verify(), { code: 'challenge-expired' })
      t.deepEqual(await stored(), before)
    })

    const ends = because !== 'no-address'
    test(`${adapter}: a challenge without a code ${ends ? 'ends' : 'stays'} if its user is ${because}`, async (t) => {
      const { lose, stores, directory, clock } = await coded()
      const fresh = await opened(stores)
      const process = useCases(stores, directory, clock, fresh.id, fresh.subjectUserId)
      lose(because)

      await t.throwsAsync(process.initiate(), { code: 'user-unreachable' })

      t.is((await stores.stepUps.load(fresh.id))?.challenge.status, ends ? 'cancelled' : 'pending')
    })
  }

  test(`${adapter}: processes that decide at the same time about a user who is gone store one cancellation`, async (t) => {
    const { lose, cancellations, process } = await coded()
    await process().verify()
    lose('disabled')

    const race = await Promise.allSettled(
      Array.from({ length: 8 }, () => process()).flatMap(({ consume, verify }) => [consume(), verify()]),
    )

    t.true(race.every((each) => each.status === 'rejected' && each.reason.code === 'challenge-cancelled'))
    t.is((await cancellations()).length, 1)
  })

  test(`${adapter}: a user who comes back gets no challenge back`, async (t) => {
    const { lose, directory, process } = await coded()
    const { locate } = directory
    lose('disabled')
    await t.throwsAsync(process().verify(), { code: 'challenge-cancelled' })
    directory.locate = locate

    await t.throwsAsync(process().verify(), { code: 'challenge-cancelled' })
    await t.throwsAsync(process().consume(), { code: 'challenge-cancelled' })
  })

  test(`${adapter}: a challenge that no code was sent for stays live when its user moves`, async (t) => {
    const { move, stores, directory, clock, process } = await coded()
    const fresh = await opened(stores)
    move()
    const others = useCases(stores, directory, clock, fresh.id, fresh.subjectUserId)

    t.like(await others.inspect(), { status: 'pending' })
    await others.initiate()
    t.is((await stores.stepUps.load(fresh.id))?.issuance?.recipient, ELSEWHERE)
    await t.throwsAsync(process().initiate(), { code: 'challenge-cancelled' })
  })

  test(`${adapter}: a challenge that expired before its user moved stays expired`, async (t) => {
    const { move, clock, stored, process } = await coded()
    const before = await stored()
    clock.pass(900)
    move()

    t.like(await process().inspect(), { status: 'expired' })
    await t.throwsAsync(process().verify(), { code: 'challenge-expired' })
    t.deepEqual(await stored(), before)
    t.deepEqual(afterNoon(900), clock.now())
  })

  test(`${adapter}: a directory that is silent makes decisions and reads fail, and changes nothing`, async (t) => {
    const { directory, stored, process } = await coded()
    const before = await stored()
    directory.locate = () => Promise.reject(new DirectoryUnavailable('silent'))

    const { inspect, initiate, verify, consume, cancel } = process()
    for (const call of [inspect, initiate, verify, consume, cancel]) {
      await t.throwsAsync(call(), { instanceOf: DirectoryUnavailable })
    }
    t.deepEqual(await stored(), before)
  })
}

function useCases(
  { stepUps: stored, trail }: Stores,
  directory: { locate(userId: string): Promise<Whereabouts> },
  clock: SettableClock,
  challengeId: string,
  subjectUserId: string,
) {
  const stepUps = new AddressCheckedStepUps(stored, { locate: (userId) => directory.locate(userId) })
  const totp = new PlainTotp()
  const identifiers = { next: () => randomUUID() }
  const signer = {
    sign: async () => 'signature',
    verifies: async () => true,
    authorise: async () => 'authorisation',
    publicKeys: () => ({ keys: [] }),
  }
  const about = { challengeId, origin: ORIGIN }
  return {
    inspect: async () => {
      const { status, resendAvailableAt, issuance } = await new InspectChallenge(
        stepUps,
        clock,
        POLICY,
      ).execute(challengeId, PAYMENTS)
      return { status, resendAvailableAt, issuance }
    },
    audit: () => new AuditChallenge(stepUps, trail).execute(challengeId, 'payments'),
    initiate: () =>
      new IssueOtp(stepUps, totp, identifiers, { wake: () => {} }, clock, POLICY).execute({
        ...about,
        userId: subjectUserId,
      }),
    verify: (userId = subjectUserId) =>
      new VerifyOtp(stepUps, totp, identifiers, clock, POLICY).execute({ ...about, userId, code: '000001' }),
    consume: () =>
      new ConsumeChallenge(stepUps, signer, clock).execute({
        ...about,
        clientId: 'payments',
        signature: 'signature',
        digest: TRANSFER.digest,
        idempotency: { key: 'k', fingerprint: 'f' },
      }),
    cancel: () => new CancelChallenge(stepUps, clock).execute({ ...about, caller: PAYMENTS }),
  }
}
