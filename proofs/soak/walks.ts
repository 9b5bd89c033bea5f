import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { randomDigest, wrongCode } from '../../test/journeys/client.ts'
import type { Dice } from './dice.ts'
import { sendGarbage } from './garbage.ts'
import type { Place } from './place.ts'
import { tellNews } from './post-news.ts'
import type { StepUpWalk } from './step-up-walk.ts'
import { User } from './user.ts'

type Walk = (place: Place, dice: Dice) => Promise<void>

const ANY_CODE = '000000'
/** The answers to an initiate within the limits. A repeat after a missing answer may come too soon. */
const ISSUED = [204]
/** A code that expires during a long trouble, before the user types it, counts as wrong. The reconciliation checks which case it was. */
const JUDGED = [204, 400]
/** The first request, whose answer was lost, may have verified it. */
const VERIFIED_BEFORE = [410]

/** Gets and verifies a code. False if a trouble lasted until the code had expired. */
async function approved(walk: StepUpWalk): Promise<boolean> {
  await walk.initiate(ISSUED)
  const { status } = await walk.verify(await walk.code(), JUDGED, VERIFIED_BEFORE)
  return status !== 400
}

async function begun(place: Place, lifetimeInSeconds?: number): Promise<StepUpWalk> {
  const user = await User.of(place)
  return user.open(lifetimeInSeconds)
}

const times = <Result>(count: number, act: (n: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => act(n)))

const honest: Walk = async (place, dice) => {
  const user = await User.of(place)
  for (let payment = dice.whole(1, 2); payment > 0; payment--) {
    const walk = await user.open()
    await walk.initiate(ISSUED)
    const code = await walk.code()
    if (dice.happens(0.3)) await walk.verify(wrongCode(code), [400])
    const { status } = await walk.verify(code, JUDGED, VERIFIED_BEFORE)
    if (status === 400) return
    if (dice.happens(0.1)) await walk.consumeFor(randomDigest(), [422])
    const key = randomUUID()
    await walk.consume(key, [200])
    await walk.consume(key, [200])
    const seen = await walk.status()
    if (seen !== 'consumed') place.ledger.complain(`${walk.id} was consumed, and is shown as ${seen}`)
    await walk.verify(code, [410])
    await walk.initiate([400], [])
  }
}

const abandoned: Walk = async (place, dice) => {
  const walk = await begun(place)
  if (dice.happens(0.7)) await walk.initiate(ISSUED)
  if (dice.happens(0.3)) await walk.verify(await walk.code(), JUDGED, VERIFIED_BEFORE)
}

const cancelled: Walk = async (place, dice) => {
  const walk = await begun(place)
  const by = dice.pick(['client', 'subject'] as const)
  if (dice.happens(0.3)) await approved(walk)
  else if (dice.happens(0.5)) await walk.initiate(ISSUED)
  await walk.cancel(by, [204])
  await walk.cancel(by, [204])
  await walk.verify(ANY_CODE, [410])
  await walk.consume(randomUUID(), [410])
  await walk.initiate([400], [])
}

const expired: Walk = async (place, dice) => {
  const walk = await begun(place, dice.whole(1, 3))
  const { status } = await walk.initiate([204, 400])
  await walk.expired()
  await walk.verify(ANY_CODE, [410])
  await walk.consume(randomUUID(), [410])
  await walk.cancel('client', [410])
  if (status === 400) await walk.initiate([400], [])
}

const resent: Walk = async (place, dice) => {
  const walk = await begun(place)
  await walk.initiate(ISSUED)
  const first = dice.happens(0.5) ? await walk.code() : undefined
  await walk.initiate([429, 204])
  await wait((2 * place.limits.cooldownInSeconds + 0.1) * 1000)
  await walk.initiate([204, 429])
  const newest = await walk.code()
  if (first !== undefined && first !== newest) await walk.verify(first, [400])
  const { status } = await walk.verify(newest, JUDGED, VERIFIED_BEFORE)
  if (status !== 400) await walk.consume(randomUUID(), [200])
}

/** Sends many codes at once to both processes, including the right one. */
const guessed: Walk = async (place, dice) => {
  const walk = await begun(place)
  await walk.initiate(ISSUED)
  const code = await walk.code()
  const right = dice.whole(0, 15)
  await times(12, (n) => walk.verifyOnce(n === right ? code : wrongCode(code)))
  await walk.verifyOnce(code)
}

const impatient: Walk = async (place, dice) => {
  const walk = await begun(place)
  await times(dice.whole(4, 10), () => walk.initiateOnce())
  await walk.initiateOnce()
}

/** Opens one challenge after the other, until the codes of the hour are used. */
const insatiable: Walk = async (place) => {
  const user = await User.of(place)
  for (let count = 0; count <= place.limits.subjectMaxIssuances + 1; count++) {
    const walk = await user.open()
    const { status } = await walk.initiate([204, 429])
    if (count < 3 && status === 204) await walk.verify(await walk.code(), JUDGED, VERIFIED_BEFORE)
  }
}

const contestedConsumption: Walk = async (place, dice) => {
  const walk = await begun(place)
  if (!(await approved(walk))) return
  const keys = [randomUUID(), randomUUID(), randomUUID()]
  await times(dice.whole(3, 8), (n) => walk.consumeOnce(keys[n % keys.length]!))
  for (const key of keys) await walk.consume(key, [200, 409])
}

/** Consumes, cancels and changes the address at the same time. One comes first. */
const contestedEnd: Walk = async (place, dice) => {
  const walk = await begun(place)
  if (!(await approved(walk))) return
  await Promise.all([
    walk.consumeOnce(randomUUID()),
    dice.happens(0.5) ? walk.cancel('subject', [204, 409, 410]) : walk.user.put(true),
    walk.consumeOnce(randomUUID()),
  ])
}

/** Sends wrong codes on several challenges until the subject is locked, and then the right one. */
const locked: Walk = async (place, dice) => {
  const user = await User.of(place)
  const walks = [await user.open(), await user.open(), await user.open()]
  for (const walk of walks) await walk.initiate(ISSUED)
  const codes = new Map<StepUpWalk, string>()
  for (const walk of walks) codes.set(walk, await walk.code())
  const { subjectMaxFailures } = place.limits
  await times(subjectMaxFailures + dice.whole(1, 3), (n) => {
    const walk = walks[n % walks.length]!
    return walk.verifyOnce(wrongCode(codes.get(walk)!))
  })
  for (const walk of walks) {
    await walk.verifyOnce(codes.get(walk)!)
    await walk.initiateOnce()
  }
}

/** An attacker who knows the id of a challenge, and has a token of their own. */
const stolen: Walk = async (place) => {
  const walk = await begun(place)
  const thief = await User.of(place)
  await walk.initiate(ISSUED)
  const code = await walk.code()
  const answers = [await walk.initiateOnce(thief), await walk.verifyOnce(code, thief)]
  for (const { status, requestId } of answers) {
    if (status !== undefined && status < 500 && status !== 400) {
      place.ledger.complain(`a thief was answered ${status} (${requestId})`)
    }
  }
  await walk.consumeElsewhere()
  await walk.verify(code, JUDGED, VERIFIED_BEFORE)
}

const moved: Walk = async (place, dice) => {
  const user = await User.of(place)
  const walk = await user.open()
  await Promise.all([walk.initiateOnce(), dice.happens(0.5) ? user.put(true) : undefined])
  await user.put(true)
  await walk.verify(ANY_CODE, [410])
  const next = await user.open()
  await next.initiate(ISSUED)
}

const erased: Walk = async (place, dice) => {
  const user = await User.of(place)
  const walk = await user.open()
  if (dice.happens(0.7)) await walk.initiate(ISSUED)
  await Promise.all([user.erase(), walk.verifyOnce(ANY_CODE)])
  await user.erase()
  await (await user.open()).initiate([400])
  if (dice.happens(0.5)) await user.put()
}

/** Mail to this address bounces, until an operator lifts the suppression. */
const bounced: Walk = async (place) => {
  const user = await User.of(place)
  const walk = await user.open()
  await walk.initiate(ISSUED)
  await walk.code()
  await tellNews(place, walk.id, 'hard-bounce')
  const next = await user.open()
  await next.initiate([400])
  await user.liftSuppression()
  await next.initiate(ISSUED)
}

/** The walks, each with its share of the load. */
const SHARES: Readonly<Record<string, readonly [walk: Walk, share: number]>> = {
  honest: [honest, 30],
  abandoned: [abandoned, 7],
  cancelled: [cancelled, 7],
  expired: [expired, 6],
  resent: [resent, 8],
  guessed: [guessed, 7],
  impatient: [impatient, 6],
  insatiable: [insatiable, 1],
  contestedConsumption: [contestedConsumption, 6],
  contestedEnd: [contestedEnd, 4],
  locked: [locked, 4],
  stolen: [stolen, 4],
  moved: [moved, 4],
  erased: [erased, 3],
  bounced: [bounced, 3],
  garbage: [sendGarbage, 8],
}

const ALL = Object.entries(SHARES).flatMap(([name, [walk, share]]) =>
  Array.from({ length: share }, () => ({ name, walk })),
)

/** The next walk, at random. */
export function nextWalk(dice: Dice): { readonly name: string; readonly walk: Walk } {
  return dice.pick(ALL)
}
