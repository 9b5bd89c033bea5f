import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../processes.ts'
import { codeFor } from './code-for.ts'
import { type Contestant, measure } from './contestant.ts'
import { expectCount } from './countersign.ts'
import type { Ground } from './ground.ts'
import { bytesOf, drive } from './load.ts'

const DATABASE = 'better_auth'

const SERVER = fileURLToPath(new URL('better-auth-server.ts', import.meta.url))

/** One-time passwords by e-mail of better-auth: the nearest library that one can install. */
export async function betterAuth(ground: Ground, subjects: number): Promise<Contestant> {
  const databaseUrl = await ground.createDatabase(DATABASE, 'empty')
  const client = await ground.client(databaseUrl)
  const program = await startProgram(
    [SERVER],
    { DATABASE_URL: databaseUrl },
    join(ground.folder, 'better-auth.log'),
  )
  await client.query(
    `INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
     SELECT 'user-' || n, 'user', 'user-' || n || '@example.com', FALSE, now(), now() FROM generate_series(0, $1::integer - 1) n`,
    [subjects],
  )
  await client.query('ANALYZE')
  const place = { ground, database: DATABASE, pids: [program.pid] }
  return {
    name: 'better-auth',
    stop: () => program.stop(),
    round: async (size) => {
      await client.query('UPDATE "user" SET "emailVerified" = FALSE WHERE "emailVerified"')
      const emails = Array.from({ length: size }, (_, n) => `user-${n}@example.com`)
      const requests = (path: string, body: (email: string) => object) =>
        emails.map((email) =>
          bytesOf({ method: 'POST', path, headers: { Origin: 'http://127.0.0.1' }, body: body(email) }),
        )
      const load = (requests: readonly Buffer[]) => () => drive(program.url, requests, ground.connections)

      const initiating = requests('/api/auth/email-otp/send-verification-otp', (email) => ({
        email,
        type: 'email-verification',
      }))
      const initiate = await measure('initiate', 200, place, load(initiating))
      const verifying = requests('/api/auth/email-otp/verify-email', (email) => ({
        email,
        otp: codeFor(email),
      }))
      const verify = await measure('verify', 200, place, load(verifying))

      await expectCount(client, 'SELECT count(*) FROM "user" WHERE "emailVerified"', size)
      return [initiate, verify]
    },
  }
}
