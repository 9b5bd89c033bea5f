import type { IncomingMessage, ServerResponse } from 'node:http'
import Koa, { type Next } from 'koa'
import type { Logger } from 'pino'
import { DirectoryUnavailable } from '../../../application/ports/user-directory.ts'
import { ConcurrencyConflict } from '../../../application/retry-on-conflict.ts'
import { type AgentSignIn, SignInRefused, SignInUnavailable } from '../../../contracts/agent-sign-in.ts'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { ChallengeNotFound } from '../../../domain/challenge.ts'
import { UserNotFound } from '../../../domain/user.ts'
import type { ClientAddress } from '../edge/client-address.ts'
import { FIXED_HEADERS } from '../edge/fixed-headers.ts'
import { requestLog } from '../edge/request-log.ts'
import type { Matched } from '../edge/state.ts'
import { SUPPORT } from '../paths.ts'
import { type AgentSessions, isOfSession } from './agent-sessions.ts'
import { type SupportState, show } from './answer.ts'
import { formBody } from './form-body.ts'
import { message, PAGE_POLICY } from './pages.ts'
import { type SupportParts, supportRoutes } from './routes.ts'
import { signInRoutes } from './sign-in-routes.ts'

export interface SupportDesk extends SupportParts {
  /** Where the browsers of the agents reach it. */
  readonly origin: string
  readonly signIn: AgentSignIn
  readonly sessions: AgentSessions
  readonly addressOf: ClientAddress
}

const OUTAGES = [StorageUnavailable, DirectoryUnavailable, ConcurrencyConflict]
/** A page needs more of its own origin than the API gives away: a form without a referrer would have no origin. */
const HEADERS = {
  ...FIXED_HEADERS,
  'Content-Security-Policy': PAGE_POLICY,
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** Answers the requests to the support desk, everything at `/support`. */
export function supportDesk(desk: SupportDesk): (request: IncomingMessage, response: ServerResponse) => void {
  const { logger, addressOf } = desk
  const app = new Koa<SupportState, Matched>()
  app.on('error', (error) => logger.debug({ err: error }, 'connection failed'))

  app.use(requestLog(logger, { addressOf }))
  app.use(async (ctx, next) => {
    ctx.set(HEADERS)
    await next()
  })
  app.use(errorPages(logger))
  app.use(signInRoutes(desk).routes())
  app.use(signedIn(desk))
  app.use(supportRoutes(desk).routes())
  app.use((ctx) => show(ctx, 404, message('There is no such page', 'The address leads nowhere.')))
  return app.callback()
}

/** Lets agents through, and sends everybody else to the issuer. What changes something comes from a form of the session. */
function signedIn({ signIn, sessions, origin }: SupportDesk): Koa.Middleware<SupportState, Matched> {
  return async (ctx, next) => {
    const session = await sessions.resume(ctx)
    if (!session) {
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return show(ctx, 403, SESSION_OVER)
      const { url, secrets } = await signIn.begin()
      await sessions.startSignIn(ctx, secrets, `${ctx.path}${ctx.search}`)
      ctx.redirect(url.href)
      return
    }
    ctx.state.session = session
    ctx.state.caller = `agent:${session.agent.id}`
    if (ctx.method === 'POST') {
      const form = await formBody(ctx)
      if (
        !form ||
        ctx.get('Origin') !== origin ||
        !isOfSession(session, form.get('form-token') ?? undefined)
      ) {
        ctx.state.refusal = 'form'
        ctx.req.resume()
        return show(ctx, 403, FOREIGN_FORM)
      }
      ctx.state.form = form
    }
    await next()
  }
}

const AGAIN = { href: SUPPORT, label: 'Sign in again' }
const SESSION_OVER = message('Your session is over', 'Nothing was changed. Sign in, and do it again.', AGAIN)
const FOREIGN_FORM = message('This form is not of your session', 'Nothing was changed. Open the page again.')

function errorPages(logger: Logger): Koa.Middleware<SupportState, Matched> {
  return async (ctx, next: Next) => {
    try {
      await next()
    } catch (error) {
      const { requestId } = ctx.state
      ctx.req.resume()
      if (error instanceof SignInRefused) {
        logger.warn({ requestId, reason: error.reason }, 'support sign-in refused')
        return show(ctx, 403, message('The sign-in did not succeed', REFUSED, AGAIN))
      }
      if (error instanceof SignInUnavailable) {
        logger.error({ requestId, reason: error.reason }, 'support sign-in unavailable')
        return show(ctx, 503, message('You cannot sign in at the moment', UNAVAILABLE, AGAIN))
      }
      if (error instanceof ChallengeNotFound || error instanceof UserNotFound)
        return show(ctx, 404, message('Nothing was found', 'There is no such user, or no such challenge.'))

      const isOutage = OUTAGES.some((outage) => error instanceof outage)
      logger.error({ err: error, requestId }, 'request failed')
      if (isOutage) show(ctx, 503, message('This is not possible at the moment', OUTAGE))
      else show(ctx, 500, message('Something went wrong', `The log has it under ${requestId}.`))
    }
  }
}

const REFUSED = 'The issuer refused it, or its answer was not the right one. Nothing happened.'
const UNAVAILABLE =
  'The issuer does not answer as it should. Wait a moment. If it stays so, the log of the service has the reason.'
const OUTAGE =
  'A part that the service needs does not answer. What you did may have happened: look at the page again in a moment.'
