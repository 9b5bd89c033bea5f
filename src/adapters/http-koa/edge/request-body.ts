import type { Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import type { z } from 'zod'
import { type FieldFault, HttpError } from './http-error.ts'

/** What is refused as blank, as the document says it. */
export const NOT_BLANK = '\\S'

const LIMIT = '16kb'
/** RFC 8259 §8.1 knows one encoding of JSON between systems. */
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i

const parseJson = bodyParser({
  enableTypes: ['json'],
  jsonLimit: LIMIT,
  detectJSON: () => true,
  onerror: (error) => {
    throw new HttpError('status' in error && error.status === 413 ? 'body-too-large' : 'bad-request')
  },
})

/**
 * The body as `schema` describes it. Refuses what the parser would read gladly: forms, other types and encodings,
 * and compressed bodies, whose broken ones it answers with a 500.
 *
 * @throws {HttpError} that names each field at fault.
 */
export async function jsonBody<Schema extends z.ZodType>(
  ctx: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const encoding = ctx.get('Content-Encoding').toLowerCase()
  if (!JSON_TYPE.test(ctx.get('Content-Type')) || (encoding !== '' && encoding !== 'identity')) {
    throw new HttpError('body-not-json')
  }
  await parseJson(ctx, async () => {})
  const body: unknown = ctx.request.body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new HttpError('bad-request')

  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new HttpError('bad-request', {
    fieldFaults: parsed.error.issues.flatMap((issue) => faultsOf(issue, body)),
  })
}

function faultsOf(issue: z.core.$ZodIssue, body: unknown): readonly FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'UNKNOWN',
      message: 'is not a field of this request',
      field: fieldName([...issue.path, key]),
    }))
  }
  const field = fieldName(issue.path)
  const value = issue.path.reduce<unknown>(
    (parent, key) => (parent as Record<PropertyKey, unknown>)?.[key],
    body,
  )
  if (value === undefined || value === null) return [{ code: 'NOT_NULL', message: 'must not be null', field }]
  if (typeof value === 'string' && value.trim() === '') {
    return [{ code: 'NOT_BLANK', message: 'must not be blank', field }]
  }
  return [{ code: 'MALFORMED', message: issue.message, field }]
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`
    return name === '' ? String(key) : `${name}.${String(key)}`
  }, '')
}
