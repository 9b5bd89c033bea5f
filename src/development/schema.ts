import { z } from 'zod'
import { Identity } from '../adapters/http-koa/users/schema.ts'

/** The user or client for which a token is requested. */
export const TokenRequest = z.union([
  z.strictObject({ sub: Identity }),
  z.strictObject({ client_id: Identity, scope: z.string().optional() }),
])
