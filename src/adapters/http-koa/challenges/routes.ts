import { createHash } from 'node:crypto'
import Router from '@koa/router'
import type { Context } from 'koa'
import type { AuditChallenge } from '../../../application/challenges/audit-challenge.ts'
import type { CancelChallenge } from '../../../application/challenges/cancel-challenge.ts'
import type { ConsumeChallenge } from '../../../application/challenges/consume-challenge.ts'
import type {
  InspectChallenge,
  InspectedChallenge,
} from '../../../application/challenges/inspect-challenge.ts'
import type { OpenChallenge, OpenedChallenge } from '../../../application/challenges/open-challenge.ts'
import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { ConsumedChallenge } from '../../../domain/challenge.ts'
import { EmailAddress } from '../../../domain/email-address.ts'
import { OtpIssuance } from '../../../domain/otp-issuance.ts'
import type { Authentication } from '../edge/authentication.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody } from '../edge/request-body.ts'
import { challengeIdOf } from './challenge-id.ts'
import type { ChallengeBody, ConsumptionBody, EventBody, OpenedChallengeBody } from './openapi.ts'
import { Consumption, Demand, IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_FIELD } from './schema.ts'

const CHALLENGES = '/internal/v1/mfa/challenges'

export interface ChallengeUseCases {
  readonly auditChallenge: Pick<AuditChallenge, 'execute'>
  readonly cancelChallenge: Pick<CancelChallenge, 'execute'>
  readonly consumeChallenge: Pick<ConsumeChallenge, 'execute'>
  readonly openChallenge: Pick<OpenChallenge, 'execute'>
  readonly inspectChallenge: Pick<InspectChallenge, 'execute'>
}

/** What an operation service calls about a challenge: section 2 of the contract. */
export function challengeRoutes(
  authentication: Authentication,
  { openChallenge, inspectChallenge, consumeChallenge, cancelChallenge, auditChallenge }: ChallengeUseCases,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.post(CHALLENGES, async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:challenges:create')
    const { subjectUserId, operation, expiresInSeconds } = await jsonBody(ctx, Demand)
    ctx.state.subject = subjectUserId
    const opened = await openChallenge.execute({
      clientId,
      subjectUserId,
      operation,
      lifetimeInSeconds: expiresInSeconds,
      idempotency: {
        key: idempotencyKeyOf(ctx),
        fingerprint: fingerprint([subjectUserId, operation, expiresInSeconds]),
      },
      origin: ctx.state.origin,
    })
    ctx.state.challengeId = opened.challenge.id
    ctx.status = opened.created ? 201 : 200
    ctx.set('Location', `${CHALLENGES}/${opened.challenge.id}`)
    ctx.body = openedBody(opened)
  })

  router.get(`${CHALLENGES}/:challengeId`, async (ctx) => {
    const caller = await authentication.caller(ctx)
    const inspected = await inspectChallenge.execute(challengeIdOf(ctx), caller)
    ctx.state.subject = inspected.challenge.subjectUserId
    ctx.body = inspectedBody(inspected)
  })

  router.post(`${CHALLENGES}/:challengeId\\:consume`, async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:challenges:consume')
    const challengeId = challengeIdOf(ctx)
    const { signature, digest } = await jsonBody(ctx, Consumption)
    const consumption = await consumeChallenge.execute({
      challengeId,
      clientId,
      signature,
      digest,
      idempotency: { key: idempotencyKeyOf(ctx), fingerprint: fingerprint([signature, digest]) },
      origin: ctx.state.origin,
    })
    if (consumption.outcome === 'mismatch') throw new HttpError('operation-mismatch')
    ctx.state.subject = consumption.challenge.subjectUserId
    ctx.body = consumedBody(consumption.challenge, consumption.authorisation)
  })

  router.post(`${CHALLENGES}/:challengeId\\:cancel`, async (ctx) => {
    const caller = await authentication.caller(ctx)
    await cancelChallenge.execute({ challengeId: challengeIdOf(ctx), caller, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.get(`${CHALLENGES}/:challengeId/events`, async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:audit:read')
    const events = await auditChallenge.execute(challengeIdOf(ctx), clientId)
    ctx.body = { events: events.map(eventBody) }
  })

  return router
}

/** @throws {HttpError} unless there is one: without it, a repeated call could not be told from a second one. */
function idempotencyKeyOf(ctx: Context): string {
  const field = IDEMPOTENCY_KEY_FIELD
  const key = ctx.get(field)
  if (IDEMPOTENCY_KEY.test(key)) return key

  const fault =
    key === ''
      ? ({ code: 'NOT_NULL', message: 'must be sent with this request' } as const)
      : ({ code: 'MALFORMED', message: 'must be 1 to 255 visible ASCII characters' } as const)
  throw new HttpError('bad-request', { fieldFaults: [{ ...fault, field }] })
}

/** Equal for equal requests, whatever the order of their members: zod hands them over in the order of the schema. */
function fingerprint(request: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64url')
}

function openedBody({ challenge, signature }: OpenedChallenge): OpenedChallengeBody {
  const totpEmail = `/internal/v1/mfa/totp-email/${challenge.id}`
  return {
    challengeId: challenge.id,
    signature,
    expiresAt: challenge.expiresAt,
    methods: [{ type: 'totp-email', initiate: `${totpEmail}:initiate`, verify: `${totpEmail}:verify` }],
  }
}

function consumedBody(challenge: ConsumedChallenge, authorisation: string): ConsumptionBody {
  const { id, subjectUserId, operation, verifiedAt, consumedAt } = challenge
  return { challengeId: id, subjectUserId, operation, verifiedAt, consumedAt, authorisation }
}

function eventBody(event: RecordedEvent): EventBody {
  const { type, at, actor, requestId, remoteAddress, subjectUserId, ...rest } = event
  const { challengeId: _, ...details } = { challengeId: undefined, ...rest }
  return {
    type,
    occurredAt: at,
    actor,
    requestId: requestId ?? null,
    remoteAddress: remoteAddress ?? null,
    subjectUserId,
    details,
  }
}

function inspectedBody({
  challenge,
  status,
  issuance,
  resendAvailableAt,
}: InspectedChallenge): ChallengeBody {
  return {
    challengeId: challenge.id,
    status,
    subjectUserId: challenge.subjectUserId,
    operation: { type: challenge.operation.type, summary: challenge.operation.summary },
    createdAt: challenge.createdAt,
    expiresAt: challenge.expiresAt,
    attemptsRemaining: challenge.attemptsRemaining,
    issuance: issuance
      ? {
          reference: OtpIssuance.reference(issuance),
          recipient: EmailAddress.mask(issuance.recipient),
          issuedAt: issuance.issuedAt,
          expiresAt: issuance.expiresAt,
          resendAvailableAt: resendAvailableAt ?? null,
          delivery: issuance.status,
          ...deliveryTimes(issuance),
        }
      : null,
  }
}

/** When the mail got where it is; what has not happened is left out. */
function deliveryTimes(issuance: OtpIssuance) {
  const none = { sentAt: undefined, deliveredAt: undefined, bouncedAt: undefined, failedAt: undefined }
  const { sentAt, deliveredAt, bouncedAt, failedAt } = { ...none, ...issuance }
  return { sentAt, deliveredAt, bouncedAt, failedAt }
}
