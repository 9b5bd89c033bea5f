import { bytesOf, handlerResponse } from './handler-response.ts'
import { rememberStepUp, StepUpGate } from './step-up.ts'
/**
 * Middleware for a Koa route, after authentication and body parser: what comes after it runs only for an operation that its user has
 * countersigned, and once.
 */
export function requireStepUp(options) {
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
      await running.abandon()
      throw error
    }
    let body
    try {
      body = await bodyOf(ctx)
    } catch (error) {
      running.lose(error)
      throw error
    }
    await running.finish(handlerResponse(ctx.status, before, ctx.response.headers, body))
  }
}
/** The body in full; one that can be read only once is replaced by what was read. */
async function bodyOf(ctx) {
  const body = ctx.body
  if (body === null || body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  const parts = partsOf(body)
  if (!parts) return Buffer.from(JSON.stringify(body))
  const bytes = await bytesOf(parts)
  ctx.body = bytes
  return bytes
}
function partsOf(body) {
  if (body instanceof Response) return body.body ?? []
  if (body instanceof Blob) return body.stream()
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body ? body : undefined
}

export { CountersignClient } from './client.ts'
export { InMemoryExecutions } from './in-memory-executions.ts'
export { stepUpOf } from './step-up.ts'
