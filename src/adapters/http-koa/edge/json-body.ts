import getRawBody from 'raw-body'
import type { z } from 'zod'
import { parseUnambiguous, RepeatedMember } from '../../../contracts/unambiguous-json.ts'
import { type FieldFault, HttpError } from './http-error.ts'
import type { EdgeContext } from './state.ts'

const LIMIT_IN_BYTES = 16 * 1024
/** The name of a field in an answer: a deep body could make it longer than the body. */
const MAX_FIELD_NAME = 255
/** RFC 8259 §8.1 allows one encoding of JSON between systems. */
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i

/**
 * Reads the body as `schema` describes it.
 *
 * @throws {HttpError} `body-not-json`, `body-too-large`, or `bad-request` with each field at fault. An octet that is not UTF-8
 *   is refused, as is a member that appears twice: two readers could take such a body for two different ones.
 */
export async function jsonBody<Schema extends z.ZodType>(
  ctx: EdgeContext,
  schema: Schema,
  { limitInBytes = LIMIT_IN_BYTES } = {},
): Promise<z.output<Schema>> {
  const body = parse(await textOf(ctx, limitInBytes))
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new HttpError('bad-request', {
    fieldFaults: parsed.error.issues.flatMap((issue) => faultsOf(issue, body)),
  })
}

async function textOf(ctx: EdgeContext, limitInBytes: number): Promise<string> {
  const encoding = ctx.get('Content-Encoding').toLowerCase()
  // Compressed bodies are refused, because a small one can expand beyond the limit.
  if (!JSON_TYPE.test(ctx.get('Content-Type')) || (encoding !== '' && encoding !== 'identity')) {
    throw new HttpError('body-not-json')
  }
  return decoded(await bytesOf(ctx, limitInBytes))
}

async function bytesOf(ctx: EdgeContext, limitInBytes: number): Promise<Buffer> {
  try {
    return await getRawBody(ctx.req, {
      length: ctx.req.headers['content-length'] ?? null,
      limit: limitInBytes,
    })
  } catch (error) {
    const isTooLarge = error instanceof Error && 'status' in error && error.status === 413
    throw new HttpError(isTooLarge ? 'body-too-large' : 'bad-request')
  }
}

/** Drops one byte order mark, as RFC 8259 §8.1 allows. A lenient decoder would turn different bodies into one text. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const lenient = Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
    const at = bytes.findIndex((byte, index) => byte !== lenient[index])
    throw new HttpError('bad-request', { message: `The body is not UTF-8 at byte ${at}, counted from 0` })
  }
}

/** Takes an empty body for an object without members, so that the answer names the fields that are missing. */
function parse(text: string): object {
  if (text === '') return {}
  const body = jsonOf(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new HttpError('bad-request')
  return body
}

function jsonOf(text: string): unknown {
  try {
    return parseUnambiguous(text)
  } catch (error) {
    if (!(error instanceof RepeatedMember)) throw new HttpError('bad-request')
    const field = fieldName(error.path).slice(0, MAX_FIELD_NAME)
    throw new HttpError('bad-request', {
      fieldFaults: [{ code: 'MALFORMED', message: 'must not appear twice', field }],
    })
  }
}

/** What a schema has against a request, field by field. */
export function faultsOf(issue: z.core.$ZodIssue, body: unknown): readonly FieldFault[] {
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
