import { z } from 'zod'
import { Identity } from '../adapters/http-koa/users/schema.ts'

/** Whom a token is to stand for. */
export const TokenRequest = z.union([
  z.strictObject({ sub: Identity }),
  z.strictObject({ client_id: Identity, scope: z.string().optional() }),
])
