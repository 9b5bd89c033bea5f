import type { EdgeContext, EdgeState } from '../edge/state.ts'
import type { AgentSession } from './agent-sessions.ts'

/** What the desk keeps about a request. The routes behind the sign-in have a session, and those of a form its fields. */
export type SupportState = EdgeState & {
  session: AgentSession
  form: URLSearchParams
}

/** Answers with a page. */
export function show(ctx: EdgeContext, status: number, page: string): void {
  ctx.status = status
  ctx.type = 'html'
  ctx.body = page
}
