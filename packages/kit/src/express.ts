import type { OutgoingHttpHeaders } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import { eventBody } from './event-body.ts'
import { EventReceiver, type EventReceiverOptions } from './event-receiver.ts'
import { handlerResponse } from './handler-response.ts'
import { type Running, rememberStepUp, StepUpGate, type StepUpOptions } from './step-up.ts'

/**
 * Middleware for an Express route, after authentication and body parser. What comes after it runs only for an operation that its user
 * has approved, and once.
 *
 * A handler that answers 500 or more, also because it threw, leaves an outcome that nobody knows. If nothing was done, call
 * `stepUpOf(req).nothingDone()`.
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
 *   subjectUserId: (req) => req.user.id,
 *   operation: ({ body: { amount, to } }) => ({
 *     type: 'payments.initiate',
 *     request: { amount, to },
 *     summary: [{ label: 'Amount', value: amount }, { label: 'To', value: to }],
 *   }),
 *   executions: new PostgresExecutions(pool),
 * })
 * app.post('/transfers', stepUp, (req, res) => {
 *   res.status(202).json({ transfer: stepUpOf(req).challengeId })
 * })
 * ```
 */
export function requireStepUp(options: StepUpOptions<Request>): RequestHandler {
  const gate = new StepUpGate(options)

  return async (req, res, next) => {
    const decided = await gate.decide(req, (name) => req.get(name))
    if (decided.decision === 'answer') {
      const { status, headers, body } = decided.answer
      res.status(status)
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
      res.end(body)
      return
    }
    rememberStepUp(req, decided.stepUp)
    recordResponse(res, decided.running)
    next()
  }
}

/**
 * Holds back what the handler answers until it is recorded, so that no repeat can come between. The handler need not know, and a
 * connection that was lost meanwhile changes nothing.
 */
function recordResponse(res: Response, running: Running): void {
  const before = { ...res.getHeaders() }
  const { write: plainWrite, end: plainEnd, writeHead, flushHeaders, destroy: plainDestroy } = res
  const chunks: Buffer[] = []
  let ended = false

  function keep(chunk: unknown, encoding: unknown): void {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return
    const text = typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, text) : Buffer.from(chunk as Uint8Array))
  }

  function write(chunk: unknown, encoding?: unknown, written?: unknown): boolean {
    keep(chunk, encoding)
    const done = typeof encoding === 'function' ? encoding : written
    if (typeof done === 'function') process.nextTick(done as () => void)
    return true
  }

  function end(chunk?: unknown, encoding?: unknown, sent?: unknown): Response {
    if (ended) return res
    ended = true
    keep(chunk, encoding)
    const body = Buffer.concat(chunks)
    const done = [chunk, encoding, sent].find((argument) => typeof argument === 'function')
    running.finish(handlerResponse(res.statusCode, before, res.getHeaders(), body)).then(() => {
      Object.assign(res, { write: plainWrite, end: plainEnd, writeHead, flushHeaders })
      if (res.hasHeader('Content-Length')) res.setHeader('Content-Length', body.length)
      res.end(body, done as () => void)
    })
    return res
  }

  Object.assign(res, {
    write,
    end,
    flushHeaders: () => {},
    // `pipeline` does this to an answer whose stream breaks.
    destroy: (error?: Error) => {
      if (!ended) {
        ended = true
        running.lose(error ?? new Error('The handler destroyed its answer'))
      }
      return plainDestroy.call(res, error)
    },
    writeHead: (status: number, ...rest: readonly unknown[]) => {
      res.statusCode = status
      const headers = rest.find((argument) => typeof argument === 'object' && argument !== null)
      for (const [name, value] of headersIn(headers)) res.setHeader(name, value)
      return res
    },
  })
}

/** The names and values of either form that `writeHead` takes: an object, or an array of names and values in turn. */
function headersIn(headers: unknown): readonly (readonly [string, string | string[]])[] {
  if (!Array.isArray(headers)) {
    return Object.entries((headers ?? {}) as OutgoingHttpHeaders).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)] as const],
    )
  }
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]] as const] : []))
}

/**
 * Handler of an Express route that gets the events of the service: `app.post('/events', receiveEvents(options))`. A body parser may run
 * before it, unless it takes `application/cloudevents+json` and keeps neither text nor bytes.
 */
export function receiveEvents(options: EventReceiverOptions): RequestHandler {
  const receiver = new EventReceiver(options)
  return async (req, res) => {
    const { rawBody, body: parsed } = req as { rawBody?: unknown; body?: unknown }
    const { status, body } = await receiver.receive(req.headers, eventBody(req, rawBody, parsed))
    res.status(status)
    if (body !== '') res.type('json')
    res.end(body)
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
