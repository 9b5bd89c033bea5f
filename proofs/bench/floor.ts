import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { v7 } from 'uuid'
import { bucketOf, idInBucketOf } from '../../src/domain/bucket.ts'
import { startProgram } from '../processes.ts'
import { type Contestant, measure } from './contestant.ts'
import { expectCount, Journeys, operation, seedStandings, seedUsers } from './countersign.ts'
import type { Ground } from './ground.ts'
import { drive } from './load.ts'

const DATABASE = 'floor'

const SERVER = fileURLToPath(new URL('floor-server.ts', import.meta.url))

/** Hand-written initiate and verify on the service's own schema. It cannot create challenges, so the bench inserts them. */
export async function floor(ground: Ground, subjects: number): Promise<Contestant> {
  const databaseUrl = await ground.createDatabase(DATABASE, 'migrated')
  const client = await ground.client(databaseUrl)
  await seedUsers(client, subjects)
  const program = await startProgram(
    [SERVER],
    {
      DATABASE_URL: databaseUrl,
      JWKS_URL: ground.issuer.jwksUrl,
      ISSUER: ground.issuer.issuer,
      AUDIENCE: ground.issuer.audience,
      OTP_KEY: ground.otpKey.toString('base64'),
    },
    join(ground.folder, 'floor.log'),
  )
  const place = { ground, database: DATABASE, pids: [program.pid] }
  let verified = 0
  return {
    name: 'The floor',
    stop: () => program.stop(),
    round: async (size) => {
      const journeys = await Journeys.prepare(ground, client, size)
      journeys.created(await putChallenges(client, size))
      const load = (requests: readonly Buffer[]) => () => drive(program.url, requests, ground.connections)

      const initiate = await measure('initiate', 204, place, load(journeys.initiating()))
      const verifying = await journeys.verifying()
      const verify = await measure('verify', 204, place, load(verifying))

      verified += size
      await expectCount(client, `SELECT count(*) FROM challenges WHERE status = 'verified'`, verified)
      return [initiate, verify]
    },
  }
}

/** Inserts the rows that the service stores for a new challenge, for each of the first `count` users. */
export async function putChallenges(
  client: pg.Client,
  count: number,
  idOf: (n: number) => string = (n) => idInBucketOf(`user-${n}`, v7()),
): Promise<string[]> {
  const challenges = Array.from({ length: count }, (_, n) => ({
    id: idOf(n),
    bucket: bucketOf(`user-${n}`),
    ...{ n, ...operation(n) },
  }))
  const json = JSON.stringify(challenges)
  await seedStandings(client, count)
  await client.query(
    `INSERT INTO challenges (
       bucket, id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
       attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint
     )
     SELECT (c ->> 'bucket')::integer, (c ->> 'id')::uuid, 'payments', 'user-' || (c ->> 'n'), c ->> 'type', c ->> 'digest', c -> 'summary', 'pending',
       5, 0, now(), now() + interval '15 minutes', $2 || (c ->> 'n'), c ->> 'digest'
     FROM jsonb_array_elements($1::jsonb) c`,
    [json, randomUUID()],
  )
  await client.query(
    `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
     SELECT (c ->> 'bucket')::integer, (c ->> 'id')::uuid, 'user-' || (c ->> 'n'), 'challenge-opened', now(), 'client:payments', '{}'
     FROM jsonb_array_elements($1::jsonb) c`,
    [json],
  )
  return challenges.map(({ id }) => JSON.stringify({ challengeId: id, signature: '' }))
}
