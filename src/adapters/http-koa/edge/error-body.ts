import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import { AccessTokenRefused, IssuerUnavailable } from '../../../application/ports/access-tokens.ts'
import { DirectoryUnavailable } from '../../../application/ports/user-directory.ts'
import { ConcurrencyConflict } from '../../../application/retry-on-conflict.ts'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { DomainError } from '../../../domain/domain-error.ts'
import { EmailAddressMalformed } from '../../../domain/email-address.ts'
import { OperationMalformed } from '../../../domain/operation.ts'
import { UserMalformed } from '../../../domain/user.ts'
import { type OutcomeTable, outcomesOf } from './error-table.ts'
import type { ErrorBody } from './errors.openapi.ts'
import { HttpError } from './http-error.ts'

const OUTAGES = [StorageUnavailable, IssuerUnavailable, DirectoryUnavailable, ConcurrencyConflict]
/** When to come back after an outage of ours. */
export const RETRY_AFTER_OUTAGE = { 'Retry-After': '2' }

/** Turns whatever was thrown into the contract's error body. Faults of ours say nothing of themselves; the log does. */
export function errorBodies(logger: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const refusal = refusalOf(error)
      const table = outcomesOf(ctx.path)
      const { status, code } = table.answers[refusal.key]
      if (status >= 500) logger.error({ err: error, requestId: ctx.state.requestId }, 'request failed')

      ctx.status = status
      ctx.set(refusal.headers)
      ctx.body = errorBody(table, refusal, ctx.state.requestId)
      ctx.state.code = code
      // The parser stops at a body that is too large. What nobody takes stays in front of the next request on the connection.
      ctx.req.resume()
      // Then the user of the token is not whom it is about.
      if (refusal.key === 'subject-mismatch') ctx.state.subject = undefined
      if (error instanceof AccessTokenRefused) ctx.state.refusal = error.reason
    }
  }
}

export function errorBody(table: OutcomeTable, refusal: HttpError, requestId: string): ErrorBody {
  const urn = (code: string) => `${table.family}:${code}`
  const { code, message } = table.answers[refusal.key]
  const fieldErrors = refusal.fieldFaults.flatMap((fault) => {
    const fieldCode = table.fieldCodes[fault.code]
    return fieldCode ? [{ code: urn(fieldCode), message: fault.message, field: fault.field }] : []
  })
  return { code: urn(code), message, requestId, ...(fieldErrors.length > 0 && { fieldErrors }) }
}

function refusalOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof OperationMalformed || error instanceof UserMalformed)
    return malformed(error, error.field)
  if (error instanceof EmailAddressMalformed) return malformed(error, 'email')
  if (error instanceof DomainError) {
    const headers = 'retryAfterInSeconds' in error ? { 'Retry-After': String(error.retryAfterInSeconds) } : {}
    return new HttpError(error.code, { headers })
  }
  if (error instanceof AccessTokenRefused) {
    return new HttpError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } })
  }
  if (OUTAGES.some((outage) => error instanceof outage)) {
    return new HttpError('unavailable', { headers: RETRY_AFTER_OUTAGE })
  }
  return new HttpError('fault')
}

function malformed({ code, message }: DomainError, field: string): HttpError {
  return new HttpError(code, { fieldFaults: [{ code: 'MALFORMED', message, field }] })
}
