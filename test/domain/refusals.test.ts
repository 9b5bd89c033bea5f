import test from 'ava'
import {
  ChallengeNotFound,
  ChallengeNotVerified,
  ChallengeOver,
  IdempotencyKeyReused,
  LiveChallengesSpent,
  SubjectMismatch,
} from '../../src/domain/challenge.ts'
import { EmailAddressMalformed } from '../../src/domain/email-address.ts'
import { IssuanceTooSoon } from '../../src/domain/otp-issuance.ts'
import { IssuancesSpent, SubjectLocked } from '../../src/domain/subject-standing.ts'
import { AddressHeld, UserNotFound, UserUnreachable } from '../../src/domain/user.ts'
import {
  WebhookConfigured,
  WebhookMalformed,
  WebhookNotFound,
} from '../../src/domain/webhook-registration.ts'

for (const [error, code, says] of [
  [new AddressHeld(7), 'address-held', /address.* 7 seconds/],
  [new ChallengeOver('c1', 'consumed'), 'challenge-consumed', /c1 is consumed/],
  [new ChallengeNotFound('c1'), 'challenge-not-found', /no challenge c1/],
  [new ChallengeNotVerified('c1'), 'challenge-not-verified', /c1 is not verified/],
  [new EmailAddressMalformed(), 'email-address-malformed', /address/],
  [new IdempotencyKeyReused(), 'idempotency-key-reused', /key.* another request/],
  [new IssuanceTooSoon(7), 'issuance-too-soon', /code.* 7 seconds/],
  [new IssuancesSpent(7), 'issuances-spent', /codes.* 7 seconds/],
  [new LiveChallengesSpent(7), 'live-challenges-spent', /challenges.* 7 seconds/],
  [new SubjectLocked(7), 'subject-locked', /locked.* 7 more seconds/],
  [new SubjectMismatch('c1'), 'subject-mismatch', /c1.* another subject/],
  [new UserNotFound(), 'user-not-found', /no such user/],
  [new UserUnreachable(), 'user-unreachable', /no usable e-mail address/],
  [new WebhookConfigured(), 'webhook-configured', /operator/],
  [new WebhookMalformed('must be a URL'), 'webhook-malformed', /must be a URL/],
  [new WebhookNotFound(), 'webhook-not-found', /no endpoint/],
] as const) {
  test(`the refusal ${code} says why, in words for the log and in a code for callers`, (t) => {
    t.is(error.code, code)
    t.regex(error.message, says)
  })
}

test('a URL that is refused is so in the field of its name', (t) => {
  t.is(new WebhookMalformed('must be a URL').field, 'url')
})
