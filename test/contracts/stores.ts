import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { AuditTrail } from '../../src/application/ports/audit-trail.ts'
import type { Commit, CommitListener } from '../../src/application/ports/commit-listener.ts'
import type { LockNotices } from '../../src/application/ports/lock-notices.ts'
import type { MailOutcomes } from '../../src/application/ports/mail-outcomes.ts'
import type { OtpOutbox } from '../../src/application/ports/otp-outbox.ts'
import type { Provenance } from '../../src/application/ports/provenance.ts'
import type { ReportableChallenges } from '../../src/application/ports/reportable-challenges.ts'
import type { StepUps } from '../../src/application/ports/step-ups.ts'
import type { Suppressions } from '../../src/application/ports/suppressions.ts'
import type { UserRegistry } from '../../src/application/ports/user-directory.ts'
import { idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge, type PendingChallenge } from '../../src/domain/challenge.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import type { QueuedLockNotice } from '../../src/domain/lock-notice.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'

/** The storage ports over one storage, as a contract is given them. */
export interface Stores {
  readonly stepUps: StepUps
  readonly registry: UserRegistry
  readonly outbox: OtpOutbox
  readonly trail: AuditTrail
}

/** The same with those that know what became of mails. */
export interface MailOutcomeStores extends Stores {
  readonly mailOutcomes: MailOutcomes
  readonly suppressions: Suppressions
}

/** The same with the warnings of locks. */
export interface LockNoticeStores extends Stores {
  readonly lockNotices: LockNotices
}

/** The same with what finds the challenges of reports. */
export interface ReportStores extends Stores {
  readonly reportableChallenges: ReportableChallenges
}

/** Writes to the storage without the service and its keys. */
export interface Intruder {
  /** Stores another challenge in the place of this one. */
  rewrite(challengeId: string, change: (challenge: Challenge) => Challenge): Promise<void>
  /** Replaces the mailbox of a code. */
  redirect(issuanceId: string, recipient: EmailAddress): Promise<void>
  /** Takes the seals of a challenge away. */
  unseal(challengeId: string): Promise<void>
}

/** The same with somebody who writes to the storage. */
export interface ForgeableStores extends Stores {
  readonly intruder: Intruder
}

/** Gives the ports over a storage, which call the listener after each commit. */
export type CreateStores<Ports extends Stores = Stores> = (committed?: CommitListener) => Promise<Ports>

/** Ports with all that their listener has heard of so far. */
export async function overheard<Ports extends Stores>(create: CreateStores<Ports>) {
  const commits: Commit[] = []
  const looks: Promise<boolean>[] = []
  const stores: Ports = await create((commit) => {
    commits.push(commit)
    looks.push(isOnTrail(stores, commit))
  })
  return {
    stores,
    commits,
    /** The types of the events, commit by commit. */
    types: () => commits.map(({ events }) => events.map(({ type }) => type)),
    /** Whether each event was there to be read when the listener heard of it. */
    storedBefore: async () => (await Promise.all(looks)).every(Boolean),
  }
}

/** An event that is about no challenge is on no trail that a port reads. */
async function isOnTrail({ trail }: Stores, { events, provenance }: Commit): Promise<boolean> {
  for (const event of events) {
    if (!('challengeId' in event)) continue
    const recorded = await trail.eventsOf(event.challengeId)
    if (!recorded.some((each) => isDeepStrictEqual(each, { ...event, ...provenance }))) return false
  }
  return true
}

/** A listener with a defect. */
export const FAULTY: CommitListener = () => {
  throw new Error('a defect of the listener')
}

export const PROVENANCE = { actor: 'user:alice', requestId: 'r-1', remoteAddress: '192.0.2.1' }

/** An id in the bucket of the subject. */
export const idOf = (subjectUserId: string) => idInBucketOf(subjectUserId, randomUUID())

/** Opens a challenge of a subject of its own and gives back what the store then holds. */
export async function opened(
  { stepUps }: Pick<Stores, 'stepUps'>,
  subjectUserId: string = randomUUID(),
  policy = POLICY,
  clientId = 'payments',
): Promise<PendingChallenge> {
  const [challenge, event] = Challenge.open(
    { id: idOf(subjectUserId), clientId, subjectUserId, operation: TRANSFER },
    policy,
    NOON,
  )
  await stepUps.open(challenge, event, { key: randomUUID(), fingerprint: 'f' }, PROVENANCE)
  return challenge
}

/** Issues a code for the challenge. */
export async function issued(
  { stepUps }: Stores,
  challengeId: string,
  now = NOON,
  provenance: Provenance = PROVENANCE,
) {
  const stepUp = (await stepUps.load(challengeId))!
  const id = idOf(stepUp.challenge.subjectUserId)
  const decision = StepUp.issueOtp(stepUp, { id, keyId: 'k1', recipient: ALICE }, POLICY, now)
  if (!(await stepUps.save(decision, provenance))) throw new Error('lost a race that nobody runs')
  return decision.issued
}

/** Verifies the challenge with the code that was issued for it. */
export async function verified({ stepUps }: Stores, challengeId: string, now = afterNoon(1)): Promise<void> {
  const stepUp = (await stepUps.load(challengeId))!
  const [decision] = StepUp.verifyOtp(stepUp, () => true, noticeDemand(), POLICY, now)
  if (!(await stepUps.save(decision, PROVENANCE))) throw new Error('lost a race that nobody runs')
}

/** Consumes the challenge, which has to be verified. */
export async function consumed({ stepUps }: Stores, challengeId: string, now = afterNoon(2)): Promise<void> {
  const { challenge, standing } = (await stepUps.load(challengeId))!
  const [decided, event] = Challenge.consume(challenge, { key: 'consume-1', fingerprint: 'f' }, now)
  const saved = await stepUps.save({ challenge: decided, standing, events: [event] }, PROVENANCE)
  if (!saved) throw new Error('lost a race that nobody runs')
}

/** Every wrong code locks. */
const STRICT = { ...POLICY, subjectMaxFailures: 1 }

/** A decision that locks the subject of the challenge. */
export async function lockingDecision({ stepUps }: Stores, challengeId: string, now = NOON) {
  const stepUp = (await stepUps.load(challengeId))!
  const [decision] = StepUp.verifyOtp(
    stepUp,
    () => false,
    noticeDemand(idOf(stepUp.challenge.subjectUserId)),
    STRICT,
    now,
  )
  return { ...decision, lockNotice: decision.lockNotice! }
}

/** Locks the subject of the challenge and gives back the notice. */
export async function locked(stores: Stores, challengeId: string, now = NOON): Promise<QueuedLockNotice> {
  const decision = await lockingDecision(stores, challengeId, now)
  if (!(await stores.stepUps.save(decision, PROVENANCE))) throw new Error('lost a race that nobody runs')
  return decision.lockNotice
}
