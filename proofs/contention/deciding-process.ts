import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { type Decided, decideAndSave } from '../../src/application/decide-and-save.ts'
import { type LoadedStepUp, StepUps } from '../../src/application/ports/step-ups.ts'
import { ConcurrencyConflict } from '../../src/application/retry-on-conflict.ts'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { Challenge, ChallengeOver } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { SubjectLocked } from '../../src/domain/subject-standing.ts'
import { idOf } from '../../test/contracts/stores.ts'
import { POLICY, TRANSFER } from '../../test/domain/examples.ts'
import { SEALS } from '../../test/support/seals.ts'
import { type Confirmed, type Groups, type Orders, userOf, type Witness } from './orders.ts'

/*
 * One process of `contention.ts`. It makes decisions about challenges that all processes know, with stores and connections of its own,
 * and sends what it saw to its parent.
 */

const LIFETIME_IN_SECONDS = 3600
/** So many wrong guesses that a challenge sees many decisions, and locks so short that they stop nobody. */
const LIMITS = {
  ...POLICY,
  challengeLifetimeInSeconds: LIFETIME_IN_SECONDS,
  codeLifetimeInSeconds: LIFETIME_IN_SECONDS,
  resendCooldownInSeconds: 0,
  maxAttempts: 60,
  subjectMaxFailures: 80,
  subjectLockInSeconds: 0.005,
  subjectMaxIssuancesPerHour: 10_000,
  mailboxMaxIssuancesPerHour: 10_000,
}
const SHARE_OF_RIGHT_GUESSES = 0.04
/** Challenges of a subject at a time. The next one is opened when one is over. */
const CHALLENGES_AT_ONCE = 2

/** The challenge that all processes decide about at this place. They open it under one idempotency key. */
interface Place {
  readonly subject: string
  generation: number
  challengeId: string | undefined
}

/** Notes each decision that the store confirms. */
class WitnessedStepUps extends StepUps {
  readonly confirmed: Confirmed[] = []
  lostRaces = 0
  readonly #stepUps: StepUps

  constructor(stepUps: StepUps) {
    super()
    this.#stepUps = stepUps
  }

  open(...call: Parameters<StepUps['open']>): ReturnType<StepUps['open']> {
    return this.#stepUps.open(...call)
  }

  load(challengeId: string): ReturnType<StepUps['load']> {
    return this.#stepUps.load(challengeId)
  }

  recordStranger(...call: Parameters<StepUps['recordStranger']>): Promise<void> {
    return this.#stepUps.recordStranger(...call)
  }

  async save(...[decision, provenance]: Parameters<StepUps['save']>): ReturnType<StepUps['save']> {
    const saved = await this.#stepUps.save(decision, provenance)
    const { subjectUserId: subject, version } = decision.standing
    const events = decision.events.map(({ type }) => type)
    if (saved) this.confirmed.push({ requestId: provenance.requestId!, subject, version, events })
    else this.lostRaces++
    return saved
  }
}

process.once('message', (orders: Orders) => {
  obey(orders).then((witness) => process.send!(witness, () => process.disconnect()))
})

const { statements, close } = connectPrisma({
  url: process.env.DATABASE_URL!,
  sharding: process.env.DATABASE_SHARDING === 'citus' ? 'citus' : 'none',
  onConnectionLost: () => {},
})
const stepUps = new WitnessedStepUps(new PrismaStepUps(statements, SEALS))
await stepUps.load(randomUUID())
process.send!('ready')

async function obey(orders: Orders): Promise<Witness> {
  const groups: Record<string, Groups> = {}
  statements.onGrouped((name, members) => {
    const known = groups[name] ?? { statements: 0, members: 0, ofSeveral: 0, largest: 0 }
    groups[name] = {
      statements: known.statements + 1,
      members: known.members + members,
      ofSeveral: known.ofSeveral + Number(members > 1),
      largest: Math.max(known.largest, members),
    }
  })
  const places = Array.from({ length: CHALLENGES_AT_ONCE * orders.subjects }, (_, n): Place => {
    return { subject: userOf(n % orders.subjects).subject, generation: 0, challengeId: undefined }
  })
  const opened: [string, string][] = []
  const failures: string[] = []
  let gaveUp = 0
  let requests = 0
  const cpu = process.cpuUsage()

  const call = async () => {
    const n = Math.floor(Math.random() * places.length)
    const provenance = { actor: 'service', requestId: `${orders.process}-${requests++}` }
    const place = places[n]!
    const { challengeId } = place
    try {
      if (challengeId === undefined) {
        const key = `${n}-${place.generation}`
        const { challenge, created } = await open(place.subject, key, provenance)
        place.challengeId = challenge.id
        if (created) opened.push([provenance.requestId, key])
      } else await decideAndSave(stepUps, CLOCK, challengeId, provenance, decide)
    } catch (error) {
      if (error instanceof ChallengeOver) leave(place, challengeId)
      else if (error instanceof SubjectLocked) await wait(1)
      else if (error instanceof ConcurrencyConflict || isHeldUpByMove(error)) gaveUp++
      else failures.push(String(error))
    }
  }
  await Promise.all(
    Array.from({ length: orders.callers }, async () => {
      while (stepUps.confirmed.length < orders.decisions && failures.length === 0) await call()
    }),
  )

  const { user, system } = process.cpuUsage(cpu)
  await close()
  const { confirmed, lostRaces } = stepUps
  return { confirmed, opened, lostRaces, gaveUp, groups, failures, cpuInMs: (user + system) / 1000 }
}

/** While the shards of a Citus move, a call may wait for longer than its sessions let it. Then nothing was stored (lock_not_available). */
function isHeldUpByMove(error: unknown): boolean {
  return (
    process.env.SHARDS_MOVE === 'true' &&
    error instanceof StorageUnavailable &&
    /\b55P03\b/.test(error.message)
  )
}

const CLOCK = { now: () => new Date() }

function open(subjectUserId: string, key: string, provenance: { actor: string; requestId: string }) {
  const ids = { id: idOf(subjectUserId), clientId: 'payments', subjectUserId }
  const [challenge, event] = Challenge.open({ ...ids, operation: TRANSFER }, LIMITS, new Date())
  return stepUps.open(challenge, event, { key, fingerprint: key }, provenance)
}

/** The next decision on the way of a challenge: a code, many wrong guesses, the right one, the consumption. */
function decide(stepUp: LoadedStepUp, now: Date): Decided<void> {
  return { decision: decisionOn(stepUp, now), result: undefined }
}

function decisionOn(stepUp: LoadedStepUp, now: Date) {
  const { challenge, issuance, standing, user } = stepUp
  const address = EmailAddress.parse(user!.email)
  if (challenge.status !== 'pending') {
    const [consumed, event] = Challenge.consume(challenge, { key: 'k', fingerprint: 'f' }, now)
    return { challenge: consumed, standing, events: [event] }
  }
  const id = idOf(challenge.subjectUserId)
  if (!issuance) return StepUp.issueOtp(stepUp, { id, keyId: 'k1', recipient: address }, LIMITS, now)
  const isRight = () => Math.random() < SHARE_OF_RIGHT_GUESSES
  return StepUp.verifyOtp(stepUp, isRight, { id, address }, LIMITS, now)[0]
}

/** Leaves a challenge that is over for the next one, unless another caller has left it already. */
function leave(place: Place, challengeId: string | undefined): void {
  if (place.challengeId !== challengeId) return
  place.generation++
  place.challengeId = undefined
}
