import type { StepUpPolicy } from '../src/domain/step-up-policy.ts'

/** The defaults of production, but for the mails that one subject may be sent: each round sends every subject another. */
export const POLICY: StepUpPolicy = {
  codeDigits: 6,
  codeLifetimeInSeconds: 300,
  maxAttempts: 5,
  maxIssuances: 5,
  resendCooldownInSeconds: 30,
  challengeLifetimeInSeconds: 900,
  subjectMaxFailures: 5,
  subjectLockInSeconds: 900,
  subjectMaxIssuancesPerHour: 1000,
}
