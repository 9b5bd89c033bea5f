import { visitOf } from './visits.ts'

/** Mails to this domain bounce in a development set-up. */
const BOUNCING = 'bounce.example'
const DELIVERING = 'example.com'
/** Time to see that it runs out, and not to hurry. */
export const SHORT_LIFE_IN_SECONDS = 20
const TAMPERED_AMOUNT = '9250.00'
/** Where a customer's mails go while there is that trouble; each time another address, since one that bounced is out of use. */
export function addressOf(customerId, trouble) {
  const mailbox = customerId.replace('-', '.')
  return trouble === 'bounce' ? `${mailbox}.${Date.now()}@${BOUNCING}` : `${mailbox}@${DELIVERING}`
}
/** What malware in the browser does: shows the customer one amount, and sends another once the customer has countersigned. */
export const tampering = async (ctx, next) => {
  if (visitOf(ctx).trouble === 'tampering' && ctx.get('plmr-mfa-challenge-id') !== '') {
    ctx.request.body = { ...ctx.request.body, amount: TAMPERED_AMOUNT }
  }
  await next()
}
