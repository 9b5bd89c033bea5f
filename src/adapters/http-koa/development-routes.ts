import Router from '@koa/router'
import { z } from 'zod'
import type { Mailbox } from '../../application/ports/mailbox.ts'
import type { TokenIssuer } from '../../application/ports/token-issuer.ts'
import { jsonBody, parseBody } from './request-body.ts'
import { Identity } from './user-routes.ts'

const TokenRequest = z.union([
  z.strictObject({ sub: Identity }),
  z.strictObject({ client_id: Identity, scope: z.string().optional() }),
])

/** Stand-ins for the identity provider and for the user's mail program. In production these routes do not exist. */
export function developmentRoutes(mailbox: Mailbox, tokenIssuer: TokenIssuer): Router {
  const router = new Router({ sensitive: true, strict: true })

  router.get('/dev/mailbox', async (ctx) => {
    const { to } = ctx.query
    ctx.body = await mailbox.list(Array.isArray(to) ? to[0] : to)
  })

  router.post('/dev/token', jsonBody, async (ctx) => {
    const request = parseBody(ctx, TokenRequest)
    const { accessToken, expiresInSeconds } = await tokenIssuer.issue(
      'sub' in request
        ? { kind: 'user', userId: request.sub }
        : {
            kind: 'client',
            clientId: request.client_id,
            scopes: new Set(request.scope?.split(' ').filter(Boolean)),
          },
    )
    ctx.body = { access_token: accessToken, token_type: 'Bearer', expires_in: expiresInSeconds }
  })

  return router
}
