import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { LONGEST_EVENT_IN_BYTES } from './event-body.ts'
import { EventReceiver, type EventReceiverOptions } from './event-receiver.ts'
import { type AnswerHeaders, bytesOf, handlerResponse } from './handler-response.ts'
import { type Running, rememberStepUp, StepUpGate, type StepUpOptions } from './step-up.ts'

/** Hooks of one route: `app.post('/transfers', { ...requireStepUp(options) }, handler)`. */
export interface StepUpHooks {
  readonly preHandler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
  readonly onSend: (request: FastifyRequest, reply: FastifyReply, payload: unknown) => Promise<unknown>
}

/**
 * Hooks of a Fastify route. Its handler runs only for an operation that its user has approved, and once.
 *
 * A handler that answers 500 or more, also because it threw, leaves an outcome that nobody knows. If nothing was done, call
 * `stepUpOf(request).nothingDone()`.
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
 *   subjectUserId: (request) => request.user.id,
 *   operation: ({ body: { amount, to } }) => ({
 *     type: 'payments.initiate',
 *     request: { amount, to },
 *     summary: [{ label: 'Amount', value: amount }, { label: 'To', value: to }],
 *   }),
 *   executions: new PostgresExecutions(pool),
 * })
 * app.post('/transfers', { ...stepUp }, async (request) => ({ transfer: stepUpOf(request).challengeId }))
 * ```
 */
export function requireStepUp(options: StepUpOptions<FastifyRequest>): StepUpHooks {
  const gate = new StepUpGate(options)
  const runs = new WeakMap<FastifyRequest, { readonly running: Running; readonly before: AnswerHeaders }>()

  return {
    preHandler: async (request, reply) => {
      const decided = await gate.decide(request, (name) => {
        const value = request.headers[name]
        return Array.isArray(value) ? value.join(', ') : value || undefined
      })
      if (decided.decision === 'answer') {
        const { status, headers, body } = decided.answer
        reply.code(status).headers(headers)
        return reply.send(body.length === 0 ? undefined : body)
      }
      rememberStepUp(request, decided.stepUp)
      runs.set(request, { running: decided.running, before: { ...reply.getHeaders() } })
      return undefined
    },

    onSend: async (request, reply, payload) => {
      const run = runs.get(request)
      if (!run) return payload
      // A failure while it is being recorded comes by here again, with an answer that is not the handler's.
      runs.delete(request)
      let body: Buffer
      try {
        body = await bodyOf(payload)
      } catch (error) {
        await run.running.lose(error)
        throw error
      }
      await run.running.finish(handlerResponse(reply.statusCode, run.before, reply.getHeaders(), body))
      return body.length === 0 ? payload : body
    },
  }
}

/** What is sent, after serialisation: text, bytes or a stream of them. */
async function bodyOf(payload: unknown): Promise<Buffer> {
  if (payload === null || payload === undefined) return Buffer.alloc(0)
  if (typeof payload === 'string') return Buffer.from(payload)
  if (payload instanceof Uint8Array) return Buffer.from(payload)
  if (payload instanceof Response) return Buffer.from(await payload.arrayBuffer())
  return bytesOf(payload as AsyncIterable<unknown>)
}

/**
 * Plugin with the route that gets the events of the service: `app.register(receiveEvents(options), { prefix: '/events' })`. The parsers
 * of your other routes stay as they are.
 */
export function receiveEvents(options: EventReceiverOptions): FastifyPluginAsync {
  const receiver = new EventReceiver(options)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: LONGEST_EVENT_IN_BYTES },
      (_, body, done) => {
        done(null, body)
      },
    )
    app.post('/', async (request, reply) => {
      const { status, body } = await receiver.receive(
        request.headers,
        (request.body as Buffer | undefined) ?? '',
      )
      reply.code(status)
      if (body !== '') reply.type('application/json')
      return reply.send(body)
    })
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
