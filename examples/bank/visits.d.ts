import type { Context, Middleware } from 'koa'
import { Customer } from './bank.ts'
import { Conversation } from './exchange.ts'
/** What may go wrong, if the visitor wants to see it go wrong. */
export declare const TROUBLES: readonly ['none', 'bounce', 'expiry', 'tampering']
export type Trouble = (typeof TROUBLES)[number]
/** Somebody at the bank's counter: a customer of their own, and what is said about it. */
export interface Visit {
  readonly customer: Customer
  readonly conversation: Conversation
  trouble: Trouble
  /** Where the customer's codes go. */
  address: string | undefined
}
/** The sessions of the bank. Its visitors sign in without a password: there is nothing to be had. */
export declare class Visits {
  #private
  /** The visit of whoever asks, if it has begun. */
  of(ctx: Context): Visit | undefined
  /** Begins a visit, and gives the visitor the cookie of it. */
  begin(ctx: Context): Visit
  /** Lets none but visitors pass, and makes all that is said on their behalf part of their conversation. */
  required(): Middleware
}
/** Whose request it is, after `required`. */
export declare function visitOf(ctx: Context): Visit
