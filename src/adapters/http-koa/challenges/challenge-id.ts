import { HttpError } from '../edge/http-error.ts'
import type { RouteContext } from '../edge/state.ts'

/** Only the canonical spelling (RFC 9562 §4): PostgreSQL takes others for the same UUID, so they would be aliases. */
export const CANONICAL_UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The challenge id in the path. @throws {HttpError} `bad-request`, unless it is a canonical UUID. */
export function challengeIdOf(ctx: RouteContext): string {
  const { challengeId } = ctx.params
  if (!challengeId || !CANONICAL_UUID.test(challengeId)) throw new HttpError('bad-request')
  ctx.state.challengeId = challengeId
  return challengeId
}
