import type { Context, Middleware } from 'koa'
import { eventBody } from './event-body.ts'
import { EventReceiver, type EventReceiverOptions } from './event-receiver.ts'
import { bytesOf, handlerResponse } from './handler-response.ts'
import { rememberStepUp, StepUpGate, type StepUpOptions } from './step-up.ts'

/**
 * Middleware for a Koa route, after authentication and body parser. What comes after it runs only for an operation that its user has
 * approved, and once.
 *
 * A handler that throws, also by `ctx.throw`, leaves an outcome that nobody knows. To refuse, set `ctx.status`; if nothing was done, call
 * `stepUpOf(ctx).nothingDone()`.
 *
 * In place of the handler, the app is answered `{ "code", "message" }`:
 *
 * | status | code | meaning |
 * |---|---|---|
 * | 401 | `STEP_UP_REQUIRED` | the user has to approve first; with `challengeId`, `signature`, `expiresAt`, `methods`, and `WWW-Authenticate` (RFC 9470) |
 * | 401 | `UNAUTHORIZED` | no user is signed in |
 * | 400 | `OPERATION_NOT_VALID` | `operation` threw, as for a request without a body, or the service cannot take what it returned: see the limits of `ProtectedOperation` |
 * | 400 | `CHALLENGE_REFERENCE_NOT_VALID` | one of the headers `plmr-mfa-challenge-id` and `plmr-mfa-signature` is missing or malformed |
 * | 403 | `OPERATION_DOES_NOT_MATCH_CHALLENGE` | the request is not the one that the user approved |
 * | 403 | `SUBJECT_DOES_NOT_MATCH_CHALLENGE` | the approval is another user's |
 * | 409 | `OPERATION_UNDER_WAY` | the operation is running; with `Retry-After` |
 * | 409 | `OUTCOME_NOT_KNOWN` | the operation may have run before: its handler threw, answered 500 or more, or never ended |
 * | 409 | `CHALLENGE_ALREADY_CONSUMED` | the approval was used elsewhere |
 * | 422 | `IDEMPOTENCY_KEY_REUSED` | the idempotency key was used with another operation |
 * | 503 | `STEP_UP_UNAVAILABLE` | Countersign or the store is unavailable; nothing ran; with `Retry-After` |
 *
 * @example
 * ```ts
 * const stepUp = requireStepUp({
 *   client: new CountersignClient({ baseUrl, accessToken }),
 *   clientId: 'payments',
 *   subjectUserId: (ctx) => ctx.state.userId,
 *   operation: ({ request: { body: { amount, to } } }) => ({
 *     type: 'payments.initiate',
 *     request: { amount, to },
 *     summary: [{ label: 'Amount', value: amount }, { label: 'To', value: to }],
 *   }),
 *   executions: new PostgresExecutions(pool),
 * })
 * app.use(stepUp)
 * app.use((ctx) => {
 *   ctx.body = { transfer: stepUpOf(ctx).challengeId }
 * })
 * ```
 */
export function requireStepUp(options: StepUpOptions<Context>): Middleware {
  const gate = new StepUpGate(options)

  return async (ctx, next) => {
    const decided = await gate.decide(ctx, (name) => ctx.get(name) || undefined)
    if (decided.decision === 'answer') {
      const { status, headers, body } = decided.answer
      ctx.status = status
      for (const [name, value] of Object.entries(headers)) {
        ctx.set(name, value)
      }
      const typed = Boolean(ctx.response.get('Content-Type'))
      ctx.body = body
      if (!typed) ctx.remove('Content-Type')
      return
    }

    const { stepUp, running } = decided
    rememberStepUp(ctx, stepUp)
    const before = { ...ctx.response.headers }
    try {
      await next()
    } catch (error) {
      await running.fail()
      throw error
    }
    let body: Buffer
    try {
      if (ctx.respond === false) return await running.lose(new Error('The handler answers without Koa'))
      body = await bodyOf(ctx)
    } catch (error) {
      await running.lose(error)
      throw error
    }
    await running.finish(handlerResponse(ctx.status, before, ctx.response.headers, body))
  }
}

/** The body in full; one that can be read only once is replaced by what was read. */
async function bodyOf(ctx: Context): Promise<Buffer> {
  const body: unknown = ctx.body
  if (body === null || body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  const parts = partsOf(body)
  if (!parts) return Buffer.from(JSON.stringify(body))
  const bytes = await bytesOf(parts)
  ctx.body = bytes
  return bytes
}

function partsOf(body: unknown): AsyncIterable<unknown> | Iterable<unknown> | undefined {
  if (body instanceof Response) return body.body ?? []
  if (body instanceof Blob) return body.stream()
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
    ? (body as AsyncIterable<unknown>)
    : undefined
}

/**
 * Middleware for a Koa route that gets the events of the service: `router.post('/events', receiveEvents(options))`. A body parser may
 * run before it, unless it takes `application/cloudevents+json` and keeps no `rawBody`.
 */
export function receiveEvents(options: EventReceiverOptions): Middleware {
  const receiver = new EventReceiver(options)
  return async (ctx) => {
    const { rawBody, body: parsed } = ctx.request as { rawBody?: unknown; body?: unknown }
    const { status, body } = await receiver.receive(ctx.req.headers, eventBody(ctx.req, rawBody, parsed))
    ctx.status = status
    if (body === '') return
    ctx.type = 'json'
    ctx.body = body
  }
}

export { CountersignClient } from './client.ts'
export type { EventReceiverOptions } from './event-receiver.ts'
export type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
export {
  EXECUTIONS_TABLE,
  type PostgresClient,
  PostgresExecutions,
  type PostgresExecutionsOptions,
} from './postgres-executions.ts'
export { SingleProcessExecutions, type SingleProcessExecutionsOptions } from './single-process-executions.ts'
export {
  type ProtectedOperation,
  type RefusalCode,
  type StepUp,
  type StepUpOptions,
  type StepUpRefusal,
  stepUpOf,
} from './step-up.ts'
