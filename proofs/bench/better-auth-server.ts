import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { betterAuth } from 'better-auth'
import { toNodeHandler } from 'better-auth/node'
import { emailOTP } from 'better-auth/plugins'
import pg from 'pg'
import { codeFor } from './code-for.ts'

/*
 * What a TypeScript team would use instead: one-time passwords by e-mail of better-auth, at its best. It runs without limiter,
 * logs and access tokens, and "sending" a mail does nothing.
 */

const auth = betterAuth({
  baseURL: 'http://127.0.0.1',
  secret: 'b35ac90e7d1f4286a8e2710c4fd3968b',
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  rateLimit: { enabled: false },
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [emailOTP({ sendVerificationOTP: async () => {}, generateOTP: ({ email }) => codeFor(email) })],
})

const context = await auth.$context
await context.runMigrations()

const server = createServer(toNodeHandler(auth))
process.once('SIGTERM', () => process.exit())
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
process.stdout.write(`${JSON.stringify({ url, msg: 'ready' })}\n`)
