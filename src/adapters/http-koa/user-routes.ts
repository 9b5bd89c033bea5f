import Router from '@koa/router'
import { z } from 'zod'
import type { PutUser } from '../../application/put-user.ts'
import { IDENTITY } from '../../domain/identity.ts'
import type { Authentication } from './authentication.ts'
import { Refusal } from './refusal.ts'
import { jsonBody, parseBody } from './request-body.ts'

/** The id of a user or a client in a request: it has to be able to equal the `sub` of a token. */
export const Identity = z.string().regex(IDENTITY, 'must be 1 to 255 printable ASCII characters')

const Entry = z.strictObject({
  email: z.string().refine((text) => text.trim() !== ''),
  locale: z
    .string()
    .max(35)
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, 'must be a language tag (BCP 47)')
    .optional(),
  displayName: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, 'must be printable characters')
    .optional(),
})

export interface UserUseCases {
  readonly putUser: Pick<PutUser, 'execute'>
}

/** The user directory, as the services that own the users keep it. */
export function userRoutes(authentication: Authentication, { putUser }: UserUseCases): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.put(
    '/internal/v1/mfa/users/:userId',
    async (ctx, next) => {
      ctx.state.clientId = await authentication.client(ctx, 'mfa:users:write')
      await next()
    },
    jsonBody,
    async (ctx) => {
      const userId = Identity.safeParse(ctx.params.userId)
      if (!userId.success) throw new Refusal('bad-request')

      const { clientId, requestId } = ctx.state
      const { user, created } = await putUser.execute({
        ...parseBody(ctx, Entry),
        userId: userId.data,
        clientId,
        requestId,
      })
      ctx.status = created ? 201 : 200
      ctx.body = {
        userId: user.userId,
        email: user.email,
        locale: user.locale,
        displayName: user.displayName,
      }
    },
  )

  return router
}
