import { randomBytes } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { Customer } from './bank.ts'
import { Conversation } from './exchange.ts'

/** The faults that a visitor can choose to see. */
export const TROUBLES = ['none', 'bounce', 'expiry', 'tampering'] as const
export type Trouble = (typeof TROUBLES)[number]

/** One visitor of the bank, with a customer and a conversation of their own. */
export interface Visit {
  readonly customer: Customer
  readonly conversation: Conversation
  trouble: Trouble
  /** The address that receives the customer's codes. */
  address: string | undefined
}

const COOKIE = 'demo-bank'
const AT_ONCE = 200

/** The sessions of the bank. Visitors sign in without a password, because the bank protects nothing of value. */
export class Visits {
  readonly #visits = new Map<string, Visit>()

  /** The visit of this request's visitor, if it has begun. */
  of(ctx: Context): Visit | undefined {
    return this.#visits.get(ctx.cookies.get(COOKIE) ?? '')
  }

  /** Begins a visit, and sets its cookie. */
  begin(ctx: Context): Visit {
    const id = randomBytes(16).toString('base64url')
    const visit: Visit = {
      customer: new Customer(),
      conversation: new Conversation(),
      trouble: 'none',
      address: undefined,
    }
    this.#visits.set(id, visit)
    const [oldest] = this.#visits.keys()
    if (this.#visits.size > AT_ONCE) this.#visits.delete(oldest!)
    // Strict: requests from other sites' pages do not carry the cookie.
    ctx.cookies.set(COOKIE, id, { httpOnly: true, sameSite: 'strict' })
    return visit
  }

  /** Admits only visitors, and records all calls on their behalf in their conversation. */
  required(): Middleware {
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

/** The visit of a request that has passed `required`. */
export function visitOf(ctx: Context): Visit {
  return ctx.state.visit
}
