import type { Middleware } from 'koa'
import { type Trouble } from './visits.ts'
/** Time to see that it runs out, and not to hurry. */
export declare const SHORT_LIFE_IN_SECONDS = 20
/** Where a customer's mails go while there is that trouble; each time another address, since one that bounced is out of use. */
export declare function addressOf(customerId: string, trouble: Trouble): string
/** What malware in the browser does: shows the customer one amount, and sends another once the customer has countersigned. */
export declare const tampering: Middleware
