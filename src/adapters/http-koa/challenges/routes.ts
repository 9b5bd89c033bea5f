import { createHash } from 'node:crypto'
import type { AuditChallenge } from '../../../application/challenges/audit-challenge.ts'
import type { CancelChallenge } from '../../../application/challenges/cancel-challenge.ts'
import type { ConsumeChallenge } from '../../../application/challenges/consume-challenge.ts'
import type {
  InspectChallenge,
  InspectedChallenge,
} from '../../../application/challenges/inspect-challenge.ts'
import type { OpenChallenge, OpenedChallenge } from '../../../application/challenges/open-challenge.ts'
import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { ChallengePlace } from '../../../application/ports/support-search.ts'
import type {
  ChallengePage,
  ListChallenges,
  ListedChallenge,
} from '../../../application/support/list-challenges.ts'
import { type Brand, readableOn } from '../../../domain/brand.ts'
import type { ConsumedChallenge } from '../../../domain/challenge.ts'
import { EmailAddress } from '../../../domain/email-address.ts'
import { OtpIssuance } from '../../../domain/otp-issuance.ts'
import type { Authentication } from '../edge/authentication.ts'
import { OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody } from '../edge/json-body.ts'
import { query } from '../edge/query.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { RouteContext } from '../edge/state.ts'
import { CHALLENGES, TOTP_EMAIL } from '../paths.ts'
import type {
  ChallengeBody,
  ChallengePageBody,
  ConsumptionBody,
  EventBody,
  OpenedChallengeBody,
} from './bodies.openapi.ts'
import { challengeIdOf } from './challenge-id.ts'
import {
  ChallengeQuery,
  Consumption,
  Demand,
  IDEMPOTENCY_KEY,
  IDEMPOTENCY_KEY_FIELD,
  PLACE,
} from './schema.ts'

const CHALLENGE = `${CHALLENGES}/{challengeId}`

export interface ChallengeUseCases {
  readonly auditChallenge: Pick<AuditChallenge, 'execute'>
  readonly cancelChallenge: Pick<CancelChallenge, 'execute'>
  readonly consumeChallenge: Pick<ConsumeChallenge, 'execute'>
  readonly openChallenge: Pick<OpenChallenge, 'execute'>
  readonly inspectChallenge: Pick<InspectChallenge, 'execute'>
  readonly listChallenges: Pick<ListChallenges, 'execute'>
}

/** The routes of a challenge that an operation service calls: section 2 of the contract. */
export function challengeRoutes(
  authentication: Authentication,
  {
    openChallenge,
    listChallenges,
    inspectChallenge,
    consumeChallenge,
    cancelChallenge,
    auditChallenge,
  }: ChallengeUseCases,
): EdgeRouter {
  const router = createRouter({ errors: OPERATION_SERVICE_ERRORS })

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

  router.get(CHALLENGES, async (ctx) => {
    await authentication.client(ctx, 'mfa:support:read')
    const { subjectUserId, clientId, after, limit } = query(ctx, ChallengeQuery)
    ctx.state.subject = subjectUserId
    const place = after === undefined ? undefined : placeOf(after)
    ctx.body = pageBody(await listChallenges.execute({ subjectUserId, clientId, after: place, limit }))
  })

  router.get(pattern(CHALLENGE), async (ctx) => {
    const caller = await authentication.caller(ctx)
    const inspected = await inspectChallenge.execute(challengeIdOf(ctx), caller)
    ctx.state.subject = inspected.challenge.subjectUserId
    ctx.body = inspectedBody(inspected)
  })

  router.post(pattern(`${CHALLENGE}:consume`), async (ctx) => {
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

  router.post(pattern(`${CHALLENGE}:cancel`), async (ctx) => {
    const caller = await authentication.caller(ctx)
    await cancelChallenge.execute({ challengeId: challengeIdOf(ctx), caller, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.get(pattern(`${CHALLENGE}/events`), async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:audit:read')
    const events = await auditChallenge.execute(challengeIdOf(ctx), clientId)
    ctx.body = { events: events.map(eventBody) }
  })

  return router
}

/** @throws {HttpError} `bad-request`, if there is no key. A repeated call would look like a second one. */
function idempotencyKeyOf(ctx: RouteContext): string {
  const field = IDEMPOTENCY_KEY_FIELD
  const key = ctx.get(field)
  if (IDEMPOTENCY_KEY.test(key)) return key

  const fault =
    key === ''
      ? ({ code: 'NOT_NULL', message: 'must be sent with this request' } as const)
      : ({ code: 'MALFORMED', message: 'must be 1 to 255 visible ASCII characters' } as const)
  throw new HttpError('bad-request', { fieldFaults: [{ ...fault, field }] })
}

/** Equal for equal requests. The order of their members is irrelevant, because zod returns them in the schema's. */
function fingerprint(request: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64url')
}

function openedBody({ challenge, signature }: OpenedChallenge): OpenedChallengeBody {
  const totpEmail = `${TOTP_EMAIL}/${challenge.id}`
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

function placeOf(after: string): ChallengePlace | undefined {
  const [, milliseconds, id] = PLACE.exec(after) ?? []
  return id === undefined ? undefined : { expiresAt: new Date(Number(milliseconds)), id }
}

function pageBody({ challenges, next }: ChallengePage): ChallengePageBody {
  return {
    challenges: challenges.map(listedBody),
    next: next ? `${next.expiresAt.getTime()}.${next.id}` : null,
  }
}

function listedBody({
  challenge,
  status,
  issuance,
}: ListedChallenge): ChallengePageBody['challenges'][number] {
  const { id, clientId, subjectUserId, operation, createdAt, expiresAt, attemptsRemaining, issuanceCount } =
    challenge
  return {
    challengeId: id,
    status,
    ...{ clientId, subjectUserId },
    operation: { type: operation.type },
    ...{ createdAt, expiresAt, attemptsRemaining, issuanceCount },
    issuance: issuance ? mailedBody(issuance) : null,
  }
}

/** A code and its mail. The address is masked. */
function mailedBody(issuance: OtpIssuance) {
  return {
    reference: OtpIssuance.reference(issuance),
    recipient: EmailAddress.mask(issuance.recipient),
    issuedAt: issuance.issuedAt,
    expiresAt: issuance.expiresAt,
    delivery: issuance.status,
    ...deliveryTimes(issuance),
  }
}

function inspectedBody({
  challenge,
  status,
  issuance,
  resendAvailableAt,
  codeDigits,
  brand,
}: InspectedChallenge): ChallengeBody {
  return {
    challengeId: challenge.id,
    status,
    subjectUserId: challenge.subjectUserId,
    operation: { type: challenge.operation.type, summary: challenge.operation.summary },
    createdAt: challenge.createdAt,
    expiresAt: challenge.expiresAt,
    attemptsRemaining: challenge.attemptsRemaining,
    ...(brand && { brand: brandBody(brand) }),
    issuance: issuance
      ? {
          reference: OtpIssuance.reference(issuance),
          recipient: EmailAddress.mask(issuance.recipient),
          issuedAt: issuance.issuedAt,
          expiresAt: issuance.expiresAt,
          resendAvailableAt: resendAvailableAt ?? null,
          codeDigits,
          delivery: issuance.status,
          ...deliveryTimes(issuance),
        }
      : null,
  }
}

function brandBody({ name, color, logoUrl }: Brand): NonNullable<ChallengeBody['brand']> {
  return {
    name,
    color,
    textColor: readableOn(color) === '#000' ? '#000000' : '#ffffff',
    logoUrl: logoUrl ?? null,
  }
}

/** The times of what happened to the mail. `undefined` leaves a time out of the body. */
function deliveryTimes(issuance: OtpIssuance) {
  const none = { sentAt: undefined, deliveredAt: undefined, bouncedAt: undefined, failedAt: undefined }
  const { sentAt, delayedAt, deliveredAt, bouncedAt, failedAt } = { ...none, ...issuance }
  return { sentAt, delayedAt, deliveredAt, bouncedAt, failedAt }
}
