import type { FastifyReply, FastifyRequest } from 'fastify'
import { type AnswerHeaders, bytesOf, handlerResponse } from './handler-response.ts'
import { type Running, rememberStepUp, StepUpGate, type StepUpOptions } from './step-up.ts'

/** Hooks of one route: `app.post('/transfers', { ...requireStepUp(options) }, handler)`. */
export interface StepUpHooks {
  readonly preHandler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
  readonly onSend: (request: FastifyRequest, reply: FastifyReply, payload: unknown) => Promise<unknown>
}

/** The handler of a route with these hooks runs only for an operation that its user has countersigned, and once. */
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
        run.running.lose(error)
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

export { CountersignClient } from './client.ts'
export type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
export { InMemoryExecutions } from './in-memory-executions.ts'
export {
  type ProtectedOperation,
  type StepUp,
  type StepUpOptions,
  type StepUpRefusal,
  stepUpOf,
} from './step-up.ts'
