import type { IssueOtp } from '../../../application/codes/issue-otp.ts'
import type { VerifyOtp } from '../../../application/codes/verify-otp.ts'
import type { StepUpPolicy } from '../../../domain/step-up-policy.ts'
import { challengeIdOf } from '../challenges/challenge-id.ts'
import type { Authentication } from '../edge/authentication.ts'
import { INITIATE_ERRORS, VERIFY_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody } from '../edge/json-body.ts'
import { answerErrorsBy, createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import { TOTP_EMAIL } from '../paths.ts'
import { Verification } from './schema.ts'

export interface TotpEmailUseCases {
  readonly issueOtp: Pick<IssueOtp, 'execute'>
  readonly verifyOtp: Pick<VerifyOtp, 'execute'>
}

/** The routes that the user's app calls: section 1 of the contract. */
export function totpEmailRoutes(
  authentication: Authentication,
  { issueOtp, verifyOtp }: TotpEmailUseCases,
  { maxAttempts }: Pick<StepUpPolicy, 'maxAttempts'>,
): EdgeRouter {
  const router = createRouter({ errors: INITIATE_ERRORS })

  router.post(pattern(`${TOTP_EMAIL}/{challengeId}:initiate`), async (ctx) => {
    const userId = await authentication.user(ctx)
    ctx.state.subject = userId
    await issueOtp.execute({ challengeId: challengeIdOf(ctx), userId, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.post(pattern(`${TOTP_EMAIL}/{challengeId}:verify`), answerErrorsBy(VERIFY_ERRORS), async (ctx) => {
    const userId = await authentication.user(ctx)
    ctx.state.subject = userId
    const challengeId = challengeIdOf(ctx)
    const { totp } = await jsonBody(ctx, Verification)

    const verdict = await verifyOtp.execute({ challengeId, userId, code: totp, origin: ctx.state.origin })
    if (verdict.outcome === 'rejected') {
      throw new HttpError('invalid-otp', {
        headers: attemptsLeft(maxAttempts, verdict.attemptsRemaining, verdict.contextEndsInSeconds),
      })
    }
    ctx.status = 204
  })

  return router
}

/**
 * Structured fields of draft-ietf-httpapi-ratelimit-headers. The contract's bodies allow no further members, so the
 * headers say how many wrong codes are still allowed.
 */
function attemptsLeft(quota: number, remaining: number, secondsToEnd: number): Record<string, string> {
  return { 'RateLimit-Policy': `"totp";q=${quota}`, RateLimit: `"totp";r=${remaining};t=${secondsToEnd}` }
}
