import Router from '@koa/router'
import { z } from 'zod'
import type { IssueOtp } from '../../../application/codes/issue-otp.ts'
import type { VerifyOtp } from '../../../application/codes/verify-otp.ts'
import type { StepUpPolicy } from '../../../domain/step-up-policy.ts'
import { challengeIdOf } from '../challenges/challenge-id.ts'
import type { Authentication } from '../edge/authentication.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody, NOT_BLANK } from '../edge/request-body.ts'

export const Verification = z.strictObject({
  totp: z
    .string('must be a string')
    .refine((text) => text.trim() !== '')
    .meta({
      pattern: NOT_BLANK,
      description: 'The code of the newest mail. Spaces and hyphens in it do not count; leading zeros do.',
      examples: ['042917'],
    }),
})

export interface TotpEmailUseCases {
  readonly issueOtp: Pick<IssueOtp, 'execute'>
  readonly verifyOtp: Pick<VerifyOtp, 'execute'>
}

/** What the user's app calls: section 1 of the contract. */
export function totpEmailRoutes(
  authentication: Authentication,
  { issueOtp, verifyOtp }: TotpEmailUseCases,
  { maxAttempts }: Pick<StepUpPolicy, 'maxAttempts'>,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.post('/internal/v1/mfa/totp-email/:challengeId\\:initiate', async (ctx) => {
    const userId = await authentication.user(ctx)
    ctx.state.subject = userId
    await issueOtp.execute({ challengeId: challengeIdOf(ctx), userId, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.post('/internal/v1/mfa/totp-email/:challengeId\\:verify', async (ctx) => {
    const userId = await authentication.user(ctx)
    ctx.state.subject = userId
    const challengeId = challengeIdOf(ctx)
    const { totp } = await jsonBody(ctx, Verification)

    const verdict = await verifyOtp.execute({ challengeId, userId, code: totp, origin: ctx.state.origin })
    if (verdict.outcome === 'rejected') {
      throw new HttpError('invalid-otp', {
        headers: guessesLeft(maxAttempts, verdict.attemptsRemaining, verdict.contextEndsInSeconds),
      })
    }
    ctx.status = 204
  })

  return router
}

/** Structured fields of draft-ietf-httpapi-ratelimit-headers: bodies of this API are closed, headers are not. */
function guessesLeft(quota: number, remaining: number, secondsToEnd: number): Record<string, string> {
  return { 'RateLimit-Policy': `"totp";q=${quota}`, RateLimit: `"totp";r=${remaining};t=${secondsToEnd}` }
}
