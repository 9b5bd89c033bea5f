import type { EdgeMiddleware } from './state.ts'

/** OWASP's REST Security Cheat Sheet asks for these on every answer. A page sets its own policy. */
export const FIXED_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export const fixedHeaders: EdgeMiddleware = async (ctx, next) => {
  ctx.set(FIXED_HEADERS)
  await next()
}
