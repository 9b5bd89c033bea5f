import {
  CountersignClient,
  requireStepUp,
  SingleProcessExecutions,
  type StepUp,
  stepUpOf,
} from '@countersign/kit/koa'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import bodyParser from 'koa-bodyparser'
import { z } from 'zod'
import { developmentToken } from './access-token.ts'
import { type Booking, COUNTERSIGNED_ABOVE, euros, InsufficientFunds, PAYEES, type Transfer } from './bank.ts'
import type { ChallengeEvents } from './challenge-events.ts'
import type { CustomerDirectory } from './customer-directory.ts'
import { recordedFetch } from './exchange.ts'
import { SHORT_LIFE_IN_SECONDS, tampering } from './scenario.ts'
import { type Visits, visitOf } from './visits.ts'

const Order = z.strictObject({
  payeeId: z.enum(PAYEES.map(({ id }) => id)),
  /** Euros and cents as text, so that nothing rounds them. */
  amount: z.string().regex(/^(?!0+\.00$)\d{1,7}\.\d{2}$/),
  reference: z
    .string()
    .trim()
    .max(60)
    .regex(/^[^\p{C}]*$/u),
})

/** The routes that the bank's front end calls: an operation service that protects an operation with the kit. */
export function bankRoutes(
  countersignUrl: string,
  visits: Visits,
  directory: CustomerDirectory,
  events: ChallengeEvents,
): Router {
  const router = new Router({ prefix: '/bank', sensitive: true, strict: true })

  const stepUp = requireStepUp({
    client: new CountersignClient({
      baseUrl: countersignUrl,
      accessToken: () =>
        developmentToken(countersignUrl, {
          client_id: 'payments',
          scope: 'mfa:challenges:create mfa:challenges:consume',
        }),
      // A real operation service does not need this. It shows the visitor the calls.
      fetch: recordedFetch,
    }),
    clientId: 'payments',
    subjectUserId: (ctx) => visitOf(ctx).customer.id,
    operation: (ctx) => {
      const transfer = transferOf(ctx)
      return {
        type: 'payments.initiate',
        request: transfer,
        summary: summaryOf(transfer),
        ...(visitOf(ctx).trouble === 'expiry' && { expiresInSeconds: SHORT_LIFE_IN_SECONDS }),
      }
    },
    // The bank's money is in the memory of this process too. A real service uses `PostgresExecutions`.
    executions: new SingleProcessExecutions(),
  })

  const welcome = async (ctx: Context) => {
    await events.register()
    const visit = visits.begin(ctx)
    await visit.conversation.during(() => directory.update(visit))
  }

  /** Signs the visitor in, unless they are signed in. */
  router.put('/session', async (ctx) => {
    if (!visits.of(ctx)) await welcome(ctx)
    ctx.status = 204
  })

  /** Signs the visitor in as a new customer, with a full account and unused budgets. */
  router.post('/session', async (ctx) => {
    await welcome(ctx)
    ctx.status = 204
  })

  /** What Countersign reports. It is no visitor: its signature counts. */
  router.post('/events', events.receive())

  router.use(visits.required())

  router.get('/account', (ctx) => {
    const { name, iban, balance, bookings } = visitOf(ctx).customer
    ctx.body = { name, iban, balance: euros(balance), bookings: bookings.map(bookingBody), payees: PAYEES }
  })

  /** The customer's own token, with which the browser talks to Countersign. */
  router.get('/token', async (ctx) => {
    const accessToken = await developmentToken(countersignUrl, { sub: visitOf(ctx).customer.id })
    ctx.body = { accessToken }
  })

  router.post('/transfers', bodyParser(), tampering, transferOrdered, mismatchShown, async (ctx) => {
    if (transferOf(ctx).amount <= COUNTERSIGNED_ABOVE) return pay(ctx)
    await stepUp(ctx, async () => pay(ctx, stepUpOf(ctx)))
  })

  return router
}

const transferOrdered: Middleware = async (ctx, next) => {
  const { data, error } = Order.safeParse(ctx.request.body)
  if (!data) {
    ctx.status = 400
    ctx.body = { code: 'BAD_REQUEST', fields: error.issues.map(({ path }) => path.join('.')) }
    return
  }
  const { name, iban } = PAYEES.find(({ id }) => id === data.payeeId)!
  const amount = Number(data.amount.replace('.', ''))
  ctx.state.transfer = { amount, payee: name, iban, reference: data.reference } satisfies Transfer
  await next()
}

/** Returns the received operation to the front end, which shows the customer how it differs from the countersigned one. */
const mismatchShown: Middleware = async (ctx, next) => {
  await next()
  if (ctx.status !== 403) return
  const refusal = JSON.parse(String(ctx.body))
  ctx.body = { ...refusal, arrived: summaryOf(transferOf(ctx)) }
}

/** If this throws, nobody knows whether the money left. Then the kit does not run it again. */
function pay(ctx: Context, approval?: StepUp): void {
  const challengeId = approval?.challengeId
  try {
    const { id } = visitOf(ctx).customer.pay(transferOf(ctx), challengeId)
    ctx.status = 202
    ctx.body = { transferId: id, challengeId }
  } catch (error) {
    if (!(error instanceof InsufficientFunds)) throw error
    // No money has moved, so the customer may try again with the same countersignature.
    approval?.nothingDone()
    ctx.status = 422
    ctx.body = { code: 'INSUFFICIENT_FUNDS', message: 'There is not enough in the account' }
  }
}

function transferOf(ctx: Context): Transfer {
  return ctx.state.transfer
}

/** What the customer reads before countersigning. */
function summaryOf({ amount, payee, iban, reference }: Transfer) {
  return [
    { label: 'Amount', value: euros(amount) },
    { label: 'To', value: payee },
    { label: 'Account', value: iban },
    ...(reference === '' ? [] : [{ label: 'Reference', value: reference }]),
  ]
}

function bookingBody({ id, bookedAt, challengeId, ...transfer }: Booking) {
  const { amount, payee, reference } = transfer
  return { id, bookedAt, amount: euros(amount), payee, reference, countersigned: challengeId !== undefined }
}
