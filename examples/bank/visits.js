import { randomBytes } from 'node:crypto'
import { Customer } from './bank.ts'
import { Conversation } from './exchange.ts'
/** What may go wrong, if the visitor wants to see it go wrong. */
export const TROUBLES = ['none', 'bounce', 'expiry', 'tampering']
const COOKIE = 'demo-bank'
const AT_ONCE = 200
/** The sessions of the bank. Its visitors sign in without a password: there is nothing to be had. */
export class Visits {
  #visits = new Map()
  /** The visit of whoever asks, if it has begun. */
  of(ctx) {
    return this.#visits.get(ctx.cookies.get(COOKIE) ?? '')
  }
  /** Begins a visit, and gives the visitor the cookie of it. */
  begin(ctx) {
    const id = randomBytes(16).toString('base64url')
    const visit = {
      customer: new Customer(),
      conversation: new Conversation(),
      trouble: 'none',
      address: undefined,
    }
    this.#visits.set(id, visit)
    const [oldest] = this.#visits.keys()
    if (this.#visits.size > AT_ONCE) this.#visits.delete(oldest)
    // Strict: what a page of somebody else asks for in this browser is nobody's.
    ctx.cookies.set(COOKIE, id, { httpOnly: true, sameSite: 'strict' })
    return visit
  }
  /** Lets none but visitors pass, and makes all that is said on their behalf part of their conversation. */
  required() {
    return async (ctx, next) => {
      const visit = this.of(ctx)
      if (!visit) {
        ctx.status = 401
        ctx.body = { code: 'UNAUTHORIZED', message: 'Sign in first' }
        return
      }
      ctx.state.visit = visit
      await visit.conversation.during(next)
    }
  }
}
/** Whose request it is, after `required`. */
export function visitOf(ctx) {
  return ctx.state.visit
}
