import type { Context } from 'koa'
import { HttpError } from '../edge/http-error.ts'

/** PostgreSQL reads other spellings as the same UUID, so any but the canonical one (RFC 9562 §4) would be an alias. */
export const CANONICAL_UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The challenge id in the path. @throws {HttpError} unless it is a canonical UUID. */
export function challengeIdOf(ctx: Context & { params: Record<string, string> }): string {
  const { challengeId } = ctx.params
  if (!challengeId || !CANONICAL_UUID.test(challengeId)) throw new HttpError('bad-request')
  ctx.state.challengeId = challengeId
  return challengeId
}
