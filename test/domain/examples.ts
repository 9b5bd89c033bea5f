import { Challenge, type PendingChallenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import type { LockNoticeDemand } from '../../src/domain/lock-notice.ts'
import type { Operation } from '../../src/domain/operation.ts'
import type { IssuanceDemand } from '../../src/domain/otp-issuance.ts'
import type { StepUp } from '../../src/domain/step-up.ts'
import type { StepUpPolicy } from '../../src/domain/step-up-policy.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'

/** Values that tests start from; each test says what is different in its case. */

export const NOON = new Date('2030-01-01T12:00:00.000Z')

export const afterNoon = (seconds: number) => secondsAfter(NOON, seconds)

export const POLICY: StepUpPolicy & { readonly codeDigits: 6 } = {
  codeDigits: 6,
  codeLifetimeInSeconds: 300,
  maxAttempts: 5,
  maxIssuances: 5,
  resendCooldownInSeconds: 30,
  challengeLifetimeInSeconds: 900,
  subjectMaxFailures: 5,
  subjectLockInSeconds: 900,
  mailboxMaxIssuancesPerHour: 1000,
  addressHoldInSeconds: 0,
  subjectMaxIssuancesPerHour: 20,
  subjectMaxLiveChallenges: 20,
}

export const TRANSFER: Operation = {
  type: 'payments.initiate',
  digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  summary: [
    { label: 'Amount', value: 'EUR 1,250.00' },
    { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
  ],
}

export const ALICE = EmailAddress.parse('alice@example.com')

export const demand = (number = 1): IssuanceDemand => ({
  id: `0197a000-0000-7000-8000-00000000000${number}`,
  keyId: 'k1',
  recipient: ALICE,
})

export const noticeDemand = (id = '0197a000-0000-7000-8000-0000000000d1'): LockNoticeDemand => ({
  id,
  address: ALICE,
})

export const openChallenge = (
  policy = POLICY,
  id = '0197a000-0000-7000-8000-0000000000c1',
): PendingChallenge =>
  Challenge.open({ id, clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER }, policy, NOON)[0]

/** A challenge just opened at noon, for a subject without a past. */
export const freshStepUp = (policy = POLICY): StepUp => ({
  challenge: openChallenge(policy),
  issuance: undefined,
  standing: SubjectStanding.blank('alice'),
})
