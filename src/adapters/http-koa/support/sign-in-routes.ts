import Router from '@koa/router'
import type { Logger } from 'pino'
import type { AgentSignIn } from '../../../contracts/agent-sign-in.ts'
import type { Matched } from '../edge/state.ts'
import { SUPPORT } from '../paths.ts'
import type { AgentSessions } from './agent-sessions.ts'
import { type SupportState, show } from './answer.ts'
import { message } from './pages.ts'
import { STYLE } from './style.ts'

/** The routes that need no session. */
export function signInRoutes({
  signIn,
  sessions,
  logger,
}: {
  readonly signIn: AgentSignIn
  readonly sessions: AgentSessions
  readonly logger: Logger
}): Router<SupportState, Matched> {
  const router = new Router<SupportState, Matched>({ sensitive: true, strict: true })

  router.get(`${SUPPORT}/style.css`, (ctx) => {
    ctx.type = 'css'
    ctx.body = STYLE
  })

  router.get(`${SUPPORT}/callback`, async (ctx) => {
    const { requestId } = ctx.state
    const begun = await sessions.takeSignIn(ctx)
    if (!begun) {
      logger.warn({ requestId, reason: 'not_begun_here' }, 'support sign-in refused')
      return show(ctx, 400, NOT_BEGUN)
    }
    const agent = await signIn.finish(ctx.search, begun.secrets)
    ctx.state.caller = `agent:${agent.id}`
    if (!agent.mayRead) {
      logger.warn({ requestId, caller: ctx.state.caller, reason: 'no_role' }, 'support sign-in refused')
      return show(ctx, 403, NO_ROLE)
    }
    await sessions.start(ctx, agent)
    logger.info({ requestId, caller: ctx.state.caller, mayWrite: agent.mayWrite }, 'support sign-in')
    ctx.status = 303
    ctx.redirect(begun.returnTo)
  })

  router.get(`${SUPPORT}/signed-out`, async (ctx) => {
    const end = await signIn.endSessionUrl()
    const more = end
      ? { href: end.href, label: 'Sign out at the issuer as well' }
      : { href: SUPPORT, label: 'Sign in again' }
    show(ctx, 200, message('You are signed out', SIGNED_OUT, more))
  })
  return router
}

const SIGNED_OUT =
  'This browser has no session of the support desk any more. At the issuer you may still be signed in.'
const AGAIN = { href: SUPPORT, label: 'Sign in again' }
const NOT_BEGUN = message(
  'This sign-in was not begun here',
  'It took longer than ten minutes, or another tab began one after it. Nothing happened.',
  AGAIN,
)
const NO_ROLE = message(
  'Your account may not use the support desk',
  'You are who you say, and you do not have the role for it. Ask those who give roles.',
  { href: `${SUPPORT}/signed-out`, label: 'Sign in as somebody else' },
)
