import type { z } from 'zod'
import { type FieldFault, HttpError } from './http-error.ts'
import type { EdgeContext } from './state.ts'

/** The name of a field in an answer: a query can be as long as the request line. */
const MAX_FIELD_NAME = 255

/**
 * Reads the query as `schema` describes it. A parameter that it does not know, or that appears twice, is refused: what a caller misspells
 * must not count as left out.
 *
 * @throws {HttpError} `bad-request` with each parameter at fault.
 */
export function queryOf<Schema extends z.ZodType>(ctx: EdgeContext, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse({ ...ctx.query })
  if (parsed.success) return parsed.data
  throw new HttpError('bad-request', {
    fieldFaults: parsed.error.issues.flatMap((each) => faultsOf(each, ctx)),
  })
}

function faultsOf(issue: z.core.$ZodIssue, ctx: EdgeContext): readonly FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'UNKNOWN',
      message: 'is not a parameter of this request',
      field: key.slice(0, MAX_FIELD_NAME),
    }))
  }
  const field = issue.path.join('.')
  const message = Array.isArray(ctx.query[field]) ? 'must not appear twice' : issue.message
  return [{ code: 'MALFORMED', message, field }]
}
