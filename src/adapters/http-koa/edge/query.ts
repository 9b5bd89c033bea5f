import type { z } from 'zod'
import { HttpError } from './http-error.ts'
import { faultsOf } from './json-body.ts'
import type { EdgeContext } from './state.ts'

/**
 * Reads the query of the address as `schema` describes it.
 *
 * @throws {HttpError} `bad-request` with each parameter at fault. One that appears twice is at fault, because two readers could take
 *   different ones.
 */
export function query<Schema extends z.ZodType>(ctx: EdgeContext, schema: Schema): z.output<Schema> {
  const given = { ...ctx.query }
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new HttpError('bad-request', {
    fieldFaults: parsed.error.issues.flatMap((issue) => faultsOf(issue, given)),
  })
}
