import { HttpError } from '../edge/http-error.ts'
import type { RouteContext } from '../edge/state.ts'

/** The form in which we write UUIDs (RFC 9562 §4). */
export const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** The same digits in either case: RFC 9562 §4 asks readers to take both, and Swift and .NET write upper case. */
export const UUID = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/

/**
 * The challenge id in the path, in lower case. From here on it has one spelling: PostgreSQL takes many for the same UUID, and
 * each would be an alias in logs, keys and signatures.
 *
 * @throws {HttpError} `bad-request`, unless it is a UUID of 36 characters.
 */
export function challengeIdOf(ctx: RouteContext): string {
  const spelled = ctx.params.challengeId
  if (!spelled || !UUID.test(spelled)) throw new HttpError('bad-request')
  const challengeId = spelled.toLowerCase()
  ctx.state.challengeId = challengeId
  return challengeId
}
