import type { Logger } from 'pino'
import {
  AccessTokenInsufficient,
  AccessTokenRefused,
  IssuerUnavailable,
} from '../../../application/ports/access-tokens.ts'
import { DirectoryUnavailable } from '../../../application/ports/user-directory.ts'
import { ConcurrencyConflict } from '../../../application/retry-on-conflict.ts'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'
import { DomainError } from '../../../domain/domain-error.ts'
import { EmailAddressMalformed } from '../../../domain/email-address.ts'
import { OperationMalformed } from '../../../domain/operation.ts'
import { UserMalformed } from '../../../domain/user.ts'
import { WebhookMalformed } from '../../../domain/webhook-registration.ts'
import { type ErrorTable, errorTableNear } from './error-table.ts'
import type { ErrorBody } from './errors.openapi.ts'
import { HttpError } from './http-error.ts'
import type { EdgeMiddleware } from './state.ts'

const OUTAGES = [StorageUnavailable, IssuerUnavailable, DirectoryUnavailable, ConcurrencyConflict]
/** When to try again after an outage of ours. */
export const RETRY_AFTER_OUTAGE = { 'Retry-After': '2' }

/** Turns whatever is thrown into the contract's error body. A 5xx says nothing of its cause; the log does. */
export function errorBodies(logger: Logger): EdgeMiddleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (thrown) {
      const error = httpErrorOf(thrown)
      const table = ctx.state.errors ?? errorTableNear(ctx.path)
      const { status, code } = table.answers[error.key]
      if (status >= 500) logger.error({ err: thrown, requestId: ctx.state.requestId }, 'request failed')

      ctx.status = status
      ctx.set(error.headers)
      ctx.body = errorBody(table, error, ctx.state.requestId)
      ctx.state.code = code
      // The parser stops at a body that is too large. Unread bytes would block the next request on the connection.
      ctx.req.resume()
      // The token's user is not the challenge's subject, so do not log them as such.
      if (error.key === 'subject-mismatch') ctx.state.subject = undefined
      if (thrown instanceof AccessTokenRefused || thrown instanceof AccessTokenInsufficient) {
        ctx.state.refusal = thrown.reason
      }
    }
  }
}

export function errorBody(table: ErrorTable, error: HttpError, requestId: string): ErrorBody {
  const urn = (code: string) => `${table.family}:${code}`
  const { code, message: usual } = table.answers[error.key]
  const message = error.ownMessage ?? usual
  const fieldErrors = error.fieldFaults.flatMap((fault) => {
    const fieldCode = table.fieldCodes[fault.code]
    return fieldCode ? [{ code: urn(fieldCode), message: fault.message, field: fault.field }] : []
  })
  return { code: urn(code), message, requestId, ...(fieldErrors.length > 0 && { fieldErrors }) }
}

function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (
    error instanceof OperationMalformed ||
    error instanceof UserMalformed ||
    error instanceof WebhookMalformed
  ) {
    return malformed(error, error.field)
  }
  if (error instanceof EmailAddressMalformed) return malformed(error, 'email')
  if (error instanceof DomainError) {
    const headers = 'retryAfterInSeconds' in error ? { 'Retry-After': String(error.retryAfterInSeconds) } : {}
    return new HttpError(error.code, { headers })
  }
  if (error instanceof AccessTokenRefused) {
    return new HttpError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } })
  }
  if (error instanceof AccessTokenInsufficient) return new HttpError('forbidden')
  if (OUTAGES.some((outage) => error instanceof outage)) {
    return new HttpError('unavailable', { headers: RETRY_AFTER_OUTAGE })
  }
  return new HttpError('fault')
}

function malformed({ code, message }: DomainError, field: string): HttpError {
  return new HttpError(code, { fieldFaults: [{ code: 'MALFORMED', message, field }] })
}
