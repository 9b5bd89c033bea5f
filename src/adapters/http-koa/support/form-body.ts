import getRawBody from 'raw-body'
import type { EdgeContext } from '../edge/state.ts'

const LIMIT_IN_BYTES = 4096
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:\s*;.*)?$/i

/** The fields of a form. Undefined if the body is no form, or too large. */
export async function formBody(ctx: EdgeContext): Promise<URLSearchParams | undefined> {
  if (!FORM_TYPE.test(ctx.get('Content-Type'))) return undefined
  try {
    const bytes = await getRawBody(ctx.req, {
      length: ctx.req.headers['content-length'] ?? null,
      limit: LIMIT_IN_BYTES,
    })
    return new URLSearchParams(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
