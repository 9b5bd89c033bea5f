import { z } from 'zod'
import { Identity } from '../adapters/http-koa/users/schema.ts'

/** The user or the service that the token is for. */
export const TokenRequest = z.union([
  z.strictObject({ sub: Identity }),
  z.strictObject({ client_id: Identity, scope: z.string().optional() }),
])
