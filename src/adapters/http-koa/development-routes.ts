import Router from '@koa/router'
import { z } from 'zod'
import type { Caller } from '../../application/ports/access-tokens.ts'
import type { Mailbox } from '../../application/ports/mailbox.ts'
import type { TokenIssuer } from '../../application/ports/token-issuer.ts'
import { jsonBody } from './request-body.ts'
import { Identity } from './user-routes.ts'

const TokenRequest = z.union([
  z.strictObject({ sub: Identity }),
  z.strictObject({ client_id: Identity, scope: z.string().optional() }),
])

/**
 * Stand-ins for the identity provider and for the user's mail program, each where there is no real one. In
 * production these routes do not exist.
 */
export function developmentRoutes(
  mailbox: Mailbox | undefined,
  tokenIssuer: TokenIssuer | undefined,
): Router {
  const router = new Router({ sensitive: true, strict: true })

  if (mailbox) {
    router.get('/dev/mailbox', async (ctx) => {
      const { to } = ctx.query
      ctx.body = await mailbox.list(Array.isArray(to) ? to[0] : to)
    })
  }

  if (tokenIssuer) {
    router.post('/dev/token', async (ctx) => {
      const { accessToken, expiresInSeconds } = await tokenIssuer.issue(
        callerOf(await jsonBody(ctx, TokenRequest)),
      )
      ctx.body = { access_token: accessToken, token_type: 'Bearer', expires_in: expiresInSeconds }
    })
  }

  return router
}

function callerOf(request: z.output<typeof TokenRequest>): Caller {
  if ('sub' in request) return { kind: 'user', userId: request.sub }
  const scopes = new Set(request.scope?.split(' ').filter(Boolean))
  return { kind: 'client', clientId: request.client_id, scopes }
}
