import test from 'ava'
import fc from 'fast-check'
import { Challenge } from '../../src/domain/challenge.ts'
import { DomainError } from '../../src/domain/domain-error.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp, type StepUpDecision } from '../../src/domain/step-up.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { demand, NOON, noticeDemand, openChallenge, POLICY as USUAL } from './examples.ts'

/** Tight enough that short sequences reach every limit: a challenge is exhausted before a lock, and lives on after one. */
const POLICY = { ...USUAL, maxIssuances: 3, subjectMaxFailures: 7, subjectLockInSeconds: 100 }

/** What may happen to the challenges of one subject, in any order, at any time. */
const command = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ kind: fc.constant('issue' as const), of: fc.nat(1) }),
  fc.record({ kind: fc.constant('cancel' as const), of: fc.nat(1) }),
  fc.record({ kind: fc.constant('consume' as const), of: fc.nat(1), key: fc.constantFrom('k1', 'k2') }),
  // The code of the n-th issuance ever made, or one that never was.
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('verify' as const), of: fc.nat(1), code: fc.nat(12) }),
  },
)

const commands = fc.array(command, { minLength: 1, maxLength: 60, size: 'max' })

type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never

interface Step {
  readonly now: Date
  readonly before: Challenge
  readonly after: Challenge
  readonly decision: StepUpDecision | undefined
  /** The issuance whose code was given, if there is such a one. */
  readonly given: OtpIssuance | undefined
  readonly newest: OtpIssuance | undefined
}

/** Plays commands on two challenges of one subject and notes each step, refused ones included. */
function play(played: readonly Command[]): Step[] {
  let now = NOON
  let standing = SubjectStanding.blank('alice')
  const challenges: Challenge[] = [
    openChallenge(),
    openChallenge(POLICY, '0197a000-0000-7000-8000-0000000000c2'),
  ]
  const newest: (OtpIssuance | undefined)[] = [undefined, undefined]
  const issuances: OtpIssuance[] = []
  const steps: Step[] = []

  for (const each of played) {
    if (each.kind === 'wait') {
      now = secondsAfter(now, each.seconds)
      continue
    }
    const before = challenges[each.of]!
    const stepUp = { challenge: before, issuance: newest[each.of], standing }
    const given = each.kind === 'verify' ? issuances[each.code] : undefined
    const decide = (): StepUpDecision => {
      if (each.kind === 'issue') return StepUp.issueOtp(stepUp, demand(), POLICY, now)
      if (each.kind === 'verify')
        return StepUp.verifyOtp(stepUp, (issuance) => issuance === given, noticeDemand(), POLICY, now)[0]
      const [challenge, event] =
        each.kind === 'consume'
          ? Challenge.consume(before, { key: each.key, fingerprint: 'f' }, now)
          : Challenge.cancel(before, 'email-address-changed', now)
      return { challenge, standing, events: [event] }
    }
    const decision = unlessRefused(decide)
    if (decision) {
      challenges[each.of] = decision.challenge
      standing = decision.standing
      if (decision.issued) {
        newest[each.of] = decision.issued
        issuances.push(decision.issued)
      }
    }
    steps.push({ now, before, after: challenges[each.of]!, decision, given, newest: stepUp.issuance })
  }
  return steps
}

function unlessRefused<Result>(decide: () => Result): Result | undefined {
  try {
    return decide()
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

const law = (title: string, holds: (steps: Step[]) => boolean) =>
  test(title, (t) => {
    t.notThrows(() =>
      fc.assert(
        fc.property(commands, (played) => holds(play(played))),
        { numRuns: 300 },
      ),
    )
  })

const eventsOf = (steps: Step[], type: string) =>
  steps.flatMap(({ decision }) => decision?.events.filter((event) => event.type === type) ?? [])

law('no sequence of commands gets more guesses judged than the budget of a challenge', (steps) =>
  [0, 1].every((n) => {
    const id = n === 0 ? openChallenge().id : '0197a000-0000-7000-8000-0000000000c2'
    return (
      eventsOf(steps, 'otp-rejected').filter((event) => event.challengeId === id).length <= POLICY.maxAttempts
    )
  }),
)

law('no sequence of commands verifies a challenge twice', (steps) => {
  const verified = eventsOf(steps, 'challenge-verified').map((event) => event.challengeId)
  return new Set(verified).size === verified.length
})

law(
  'no sequence of commands consumes a challenge twice, or before it is verified, or past its deadline',
  (steps) => {
    const consumed = steps.filter(({ decision }) =>
      decision?.events.some(({ type }) => type === 'challenge-consumed'),
    )
    return (
      new Set(consumed.map(({ before }) => before.id)).size === consumed.length &&
      consumed.every(({ before, now }) => before.status === 'verified' && now < before.expiresAt)
    )
  },
)

law('no challenge leaves a terminal state, and verified only to be consumed or cancelled', (steps) =>
  steps.every(({ before, after }) => {
    if (['exhausted', 'cancelled', 'consumed'].includes(before.status)) return after === before
    return (
      before.status !== 'verified' || after === before || ['consumed', 'cancelled'].includes(after.status)
    )
  }),
)

law('a code counts only if it is the newest of its challenge and alive', (steps) =>
  steps.every(
    ({ before, after, given, newest, now }) =>
      !(before.status === 'pending' && after.status === 'verified') ||
      (given !== undefined && given === newest && given.challengeId === before.id && now < given.expiresAt),
  ),
)

law('attempts never come back, whatever is issued in between', (steps) =>
  steps.every(
    ({ before, after }) =>
      after.attemptsRemaining <= before.attemptsRemaining && after.attemptsRemaining >= 0,
  ),
)

law('a subject never fails more often in a row than allowed without being locked', (steps) =>
  steps.every(({ decision }) => (decision?.standing.consecutiveFailures ?? 0) < POLICY.subjectMaxFailures),
)

law(
  'two issuances of a challenge are never closer than the growing cooldown, nor more than allowed',
  (steps) => {
    const issued = steps.flatMap(({ decision }) => (decision?.issued ? [decision.issued] : []))
    return Object.values(Object.groupBy(issued, ({ challengeId }) => challengeId)).every(
      (ofOne = []) =>
        ofOne.length <= POLICY.maxIssuances &&
        ofOne.every(
          ({ issuedAt }, index) =>
            index === 0 || issuedAt >= OtpIssuance.resendAvailableAt(ofOne[index - 1]!, POLICY),
        ),
    )
  },
)

law('a refusal changes nothing, and a decision always leaves a trace', (steps) =>
  steps.every(({ before, after, decision }) => (decision ? decision.events.length > 0 : after === before)),
)

test('the commands reach what the laws are about', (t) => {
  const reached = new Set(
    fc
      .sample(commands, { numRuns: 2000, seed: 1 })
      .flatMap((played) => play(played))
      .map(({ after }) => after.status),
  )

  t.deepEqual([...reached].toSorted(), ['cancelled', 'consumed', 'exhausted', 'pending', 'verified'])
})
