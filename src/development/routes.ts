import type { z } from 'zod'
import { SERVICE_ERRORS } from '../adapters/http-koa/edge/error-table.ts'
import { HttpError } from '../adapters/http-koa/edge/http-error.ts'
import { jsonBody } from '../adapters/http-koa/edge/json-body.ts'
import { createRouter, type EdgeRouter, pattern } from '../adapters/http-koa/edge/router.ts'
import type { Caller } from '../application/ports/access-tokens.ts'
import type { Mailbox } from './mailbox.ts'
import { MAIL_POLICY, mailboxPage, PAGE_POLICY, stateOf } from './mailbox-page.ts'
import type { MailboxBody, TokenBody } from './openapi.ts'
import { MAILBOX, TOKEN } from './paths.ts'
import { TokenRequest } from './schema.ts'
import type { TokenIssuer } from './token-issuer.ts'

/**
 * Stand-ins for the identity provider and for the user's mail program, each only if no real one is configured. In
 * production these routes do not exist.
 */
export function developmentRoutes(
  mailbox: Mailbox | undefined,
  tokenIssuer: TokenIssuer | undefined,
): EdgeRouter {
  const router = createRouter({ errors: SERVICE_ERRORS })

  if (mailbox) {
    router.get(MAILBOX, async (ctx) => {
      const { to, id, view } = firstOfEach(ctx.query)
      const mails = await mailbox.list(to)
      ctx.state.polling = ctx.method === 'HEAD'
      ctx.vary('Accept')
      if (ctx.accepts('json', 'html') === 'html') {
        ctx.set({ 'Content-Security-Policy': PAGE_POLICY, ETag: stateOf(mails) })
        ctx.type = 'html'
        ctx.body = mailboxPage(mails, { to, id, asText: view === 'text' })
      } else {
        ctx.body = mails satisfies MailboxBody
      }
    })

    /** The HTML of one mail, for the frame of the page. */
    router.get(pattern(`${MAILBOX}/{id}`), async (ctx) => {
      const mail = await mailbox.find(ctx.params.id!)
      if (!mail) throw new HttpError('route-unknown')
      ctx.set('Content-Security-Policy', MAIL_POLICY)
      ctx.type = 'html'
      ctx.body = mail.html
    })
  }

  if (tokenIssuer) {
    router.post(TOKEN, async (ctx) => {
      const { accessToken, expiresInSeconds } = await tokenIssuer.issue(
        callerOf(await jsonBody(ctx, TokenRequest)),
      )
      ctx.body = {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: expiresInSeconds,
      } satisfies TokenBody
    })
  }

  return router
}

/** The first value of each parameter. Drops empty ones, which an empty field of the page's form sends. */
function firstOfEach(query: NodeJS.Dict<string | string[]>): NodeJS.Dict<string> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, [value].flat()[0] || undefined]),
  )
}

function callerOf(request: z.output<typeof TokenRequest>): Caller {
  if ('sub' in request) return { kind: 'user', userId: request.sub }
  const scopes = new Set(request.scope?.split(' ').filter(Boolean))
  return { kind: 'client', clientId: request.client_id, scopes }
}
