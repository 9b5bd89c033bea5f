import type { Middleware } from 'koa'
import { type Trouble, visitOf } from './visits.ts'

/** In development, mails to this domain bounce. */
const BOUNCING = 'bounce.example'
const DELIVERING = 'example.com'
/** Short enough to watch it run out. */
export const SHORT_LIFE_IN_SECONDS = 20
const TAMPERED_AMOUNT = '9250.00'

/** The customer's address under this trouble. A bouncing address is new each time, because Countersign suppresses it. */
export function addressOf(customerId: string, trouble: Trouble): string {
  const mailbox = customerId.replace('-', '.')
  return trouble === 'bounce' ? `${mailbox}.${Date.now()}@${BOUNCING}` : `${mailbox}@${DELIVERING}`
}

/** Acts like malware in the browser: it changes the amount after the customer has confirmed another one. */
export const tampering: Middleware = async (ctx, next) => {
  if (visitOf(ctx).trouble === 'tampering' && ctx.get('plmr-mfa-challenge-id') !== '') {
    ctx.request.body = { ...(ctx.request.body as object), amount: TAMPERED_AMOUNT }
  }
  await next()
}
