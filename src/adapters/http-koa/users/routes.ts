import type { LiftSuppression } from '../../../application/mail/lift-suppression.ts'
import type { ExportSubject, SubjectExport } from '../../../application/support/export-subject.ts'
import type { FindSubject, FoundSubject } from '../../../application/support/find-subject.ts'
import type { UnlockSubject } from '../../../application/support/unlock-subject.ts'
import type { EraseUser } from '../../../application/users/erase-user.ts'
import type { FindUser } from '../../../application/users/find-user.ts'
import type { PutUser } from '../../../application/users/put-user.ts'
import { EmailAddress } from '../../../domain/email-address.ts'
import type { User } from '../../../domain/user.ts'
import type { Authentication } from '../edge/authentication.ts'
import { OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody } from '../edge/json-body.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { RouteContext } from '../edge/state.ts'
import { USERS } from '../paths.ts'
import type { StandingBody, SubjectExportBody, UserBody } from './openapi.ts'
import { DirectoryEntry, Identity } from './schema.ts'

const USER = pattern(`${USERS}/{userId}`)

export interface UserUseCases {
  readonly eraseUser: Pick<EraseUser, 'execute'>
  readonly exportSubject: Pick<ExportSubject, 'execute'>
  readonly findSubject: Pick<FindSubject, 'execute'>
  readonly findUser: Pick<FindUser, 'execute'>
  readonly liftSuppression: Pick<LiftSuppression, 'execute'>
  readonly unlockSubject: Pick<UnlockSubject, 'execute'>
  /** Undefined if another system keeps the users. The path then does not support the method. */
  readonly putUser: Pick<PutUser, 'execute'> | undefined
}

/** The user directory, which the services that own the users keep up to date. */
export function userRoutes(
  authentication: Authentication,
  { findUser, putUser, eraseUser, liftSuppression, findSubject, unlockSubject, exportSubject }: UserUseCases,
): EdgeRouter {
  const router = createRouter({ errors: OPERATION_SERVICE_ERRORS })

  if (putUser) {
    router.put(USER, async (ctx) => {
      const clientId = await authentication.client(ctx, 'mfa:users:write')
      const userId = userIdOf(ctx)
      const { user, created, localeUnreadable } = await putUser.execute({
        ...(await jsonBody(ctx, DirectoryEntry)),
        userId,
        clientId,
        origin: ctx.state.origin,
      })
      if (localeUnreadable) ctx.state.warning = 'locale unreadable'
      ctx.status = created ? 201 : 200
      ctx.body = userBody(user)
    })
  }

  router.get(USER, async (ctx) => {
    await authentication.client(ctx, 'mfa:users:read')
    ctx.body = userBody(await findUser.execute(userIdOf(ctx)))
  })

  router.delete(USER, async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:users:write')
    await eraseUser.execute({ userId: userIdOf(ctx), clientId, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.delete(`${USER}/suppression`, async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:users:write')
    const actor = `client:${clientId}`
    await liftSuppression.execute({ userId: userIdOf(ctx), actor, origin: ctx.state.origin })
    ctx.status = 204
  })

  router.get(`${USER}/standing`, async (ctx) => {
    await authentication.client(ctx, 'mfa:support:read')
    ctx.body = standingBody(await findSubject.execute(userIdOf(ctx)))
  })

  router.get(`${USER}/export`, async (ctx) => {
    await authentication.client(ctx, 'mfa:users:export')
    ctx.body = exportBody(await exportSubject.execute(userIdOf(ctx)))
  })

  router.post(pattern(`${USERS}/{userId}:unlock`), async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:support:write')
    const actor = `client:${clientId}`
    await unlockSubject.execute({ userId: userIdOf(ctx), actor, origin: ctx.state.origin })
    ctx.status = 204
  })

  return router
}

/** The user id in the path. @throws {HttpError} `bad-request`, unless it could be the `sub` of a token. */
function userIdOf(ctx: RouteContext): string {
  const userId = Identity.safeParse(ctx.params.userId)
  if (!userId.success) throw new HttpError('bad-request')
  ctx.state.subject = userId.data
  return userId.data
}

function userBody({ userId, email, locale, displayName }: User): UserBody {
  return { userId, email, locale, displayName }
}

function standingBody(subject: FoundSubject): StandingBody {
  const { subjectUserId, whereabouts, standing, isUnreachable } = subject
  const { suppression } = standing
  return {
    userId: subjectUserId,
    lockedUntil: subject.lockedUntil ?? null,
    attemptsRemaining: subject.attemptsRemaining,
    consecutiveFailures: standing.consecutiveFailures,
    consecutiveLocks: standing.consecutiveLocks,
    issuancesOfLastHour: subject.issuancesOfLastHour,
    noCodeUntil: subject.noCodeUntil ?? null,
    directory: whereabouts.user ? 'present' : whereabouts.because,
    address: whereabouts.user
      ? { masked: EmailAddress.mask(whereabouts.user.email), suppressed: isUnreachable }
      : null,
    suppression: suppression?.address
      ? { masked: EmailAddress.mask(suppression.address), reason: suppression.reason, since: suppression.at }
      : null,
  }
}

function exportBody({ subjectUserId, exportedAt, tables }: SubjectExport): SubjectExportBody {
  return { userId: subjectUserId, exportedAt, tables }
}
