import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export const BIN = fileURLToPath(new URL('../../bin/countersign.mjs', import.meta.url))
/** Where nothing listens. */
export const NOWHERE = '127.0.0.1:1'

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as an operator does, with this environment alone. */
export async function countersign(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Outcome> {
  const child = spawn(process.execPath, [BIN, ...args], { env: { PATH: process.env.PATH, ...env } })
  const exit = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [status] = await exit
  return { status, stdout, stderr }
}

export const key = (byte: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 7 + byte) % 256)).toString('base64')

/** What production needs; the services it names are nowhere. */
export const production = (databaseUrl: string) => ({
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PORT: '0',
  MANAGEMENT_PORT: '0',
  DATABASE_URL: databaseUrl,
  AUTH_ISSUER: 'https://login.bank.example',
  AUTH_AUDIENCE: 'countersign',
  AUTH_JWKS_URL: `http://${NOWHERE}/jwks.json`,
  OTP_KEYS: `otp-2020-01-01:${key(1)}`,
  SIGNING_KEYS: `s1:${key(2)}`,
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: `smtp://relay:pass-of-the-relay@${NOWHERE}`,
  MAIL_FROM: 'Bank <no-reply@bank.example>',
  DNS_SERVERS: NOWHERE,
})
