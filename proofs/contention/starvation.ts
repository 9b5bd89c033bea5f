import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { openChallenge, paymentsToken, registerUser, tokenOf } from '../../test/journeys/client.ts'
import { createDataDir, startProcess } from '../../test/journeys/service-process.ts'

export interface StarvationPlan {
  /** An empty database with all migrations. */
  readonly databaseUrl: string
  /** Windows of each kind: with the attack and without it, in turns. */
  readonly windows: number
  readonly secondsPerWindow: number
  /** Live challenges of the attacked account before each changed address, as an older version would have left them. */
  readonly leftBehind: number
  /** Calls of the attack at a time. */
  readonly callers: number
}

/** What other users saw, in one kind of window. Latencies are in ms. */
interface Seen {
  readonly latencies: number[]
  readonly statuses: Map<number, number>
}

export interface Starvation {
  readonly quiet: Seen
  readonly attacked: Seen
  /** What the attack was answered. */
  readonly attack: Map<number, number>
  /** Live challenges of the account after the last create of the attack. */
  readonly live: number
}

/** Calls of other users a second. Few, so that their latency is that of a call and not of a queue of theirs. */
const CALLS_PER_SECOND = 20

/**
 * One account is attacked: its challenges are opened without end, and its address changes while thousands of them are live. Other
 * users confirm operations meanwhile. Windows with and without the attack take turns on one instance.
 */
export async function starve({
  databaseUrl,
  windows,
  secondsPerWindow,
  leftBehind,
  callers,
}: StarvationPlan): Promise<Starvation> {
  const dataDir = await createDataDir()
  const service = await startProcess({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir.path, LOG_LEVEL: 'warn' })
  const db = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  try {
    const { url } = service
    const tokens = {
      payments: await paymentsToken(url),
      crm: await tokenOf(url, { client_id: 'crm', scope: 'mfa:users:write' }),
    }
    const { userId } = await registerUser(url)
    await openChallenge(url, userId)
    const quiet: Seen = { latencies: [], statuses: new Map() }
    const attacked: Seen = { latencies: [], statuses: new Map() }
    const attack = new Map<number, number>()

    for (let window = 0; window < windows * 2; window++) {
      const isAttacked = window % 2 === 1
      let isOver = false
      const attackers = isAttacked
        ? [
            ...Array.from({ length: callers }, () =>
              repeat(
                () => isOver,
                async () => count(attack, await create(url, tokens.payments, userId)),
              ),
            ),
            repeat(
              () => isOver,
              async () => {
                await leaveBehind(db, userId, leftBehind)
                count(attack, await changeAddress(url, tokens.crm, userId))
              },
            ),
          ]
        : []
      await confirmAsOthers(url, tokens.payments, isAttacked ? attacked : quiet, secondsPerWindow)
      isOver = true
      await Promise.all(attackers)
    }
    await changeAddress(url, tokens.crm, userId)
    await Promise.all(Array.from({ length: callers * 2 }, () => create(url, tokens.payments, userId)))
    const { rows } = await db.query<{ live: number }>(
      `SELECT count(*)::integer AS live FROM challenges
       WHERE subject_user_id = $1 AND status = 'pending' AND expires_at > now()`,
      [userId],
    )
    return { quiet, attacked, attack, live: rows[0]!.live }
  } finally {
    await service.end('SIGKILL')
    await db.end()
    await dataDir.remove()
  }
}

async function repeat(isOver: () => boolean, act: () => Promise<void>): Promise<void> {
  while (!isOver()) await act()
}

/** Each call counts from the moment when it was due, so that a stall does not hide the wait of later calls. */
async function confirmAsOthers(url: string, token: string, seen: Seen, seconds: number): Promise<void> {
  const calls: Promise<void>[] = []
  const startedAt = performance.now()
  for (let n = 0; n < seconds * CALLS_PER_SECOND; n++) {
    const dueAt = startedAt + (n * 1000) / CALLS_PER_SECOND
    await wait(Math.max(0, dueAt - performance.now()))
    calls.push(
      create(url, token, `other-${randomUUID()}`).then((status) => {
        seen.latencies.push(performance.now() - dueAt)
        count(seen.statuses, status)
      }),
    )
  }
  await Promise.all(calls)
}

async function create(url: string, token: string, subjectUserId: string): Promise<number> {
  return statusOf(url, 'POST', '/internal/v1/mfa/challenges', token, {
    subjectUserId,
    operation: {
      type: 'payments.initiate',
      digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
      summary: [{ label: 'Amount', value: 'EUR 1.00' }],
    },
  })
}

async function changeAddress(url: string, token: string, userId: string): Promise<number> {
  return statusOf(url, 'PUT', `/internal/v1/mfa/users/${userId}`, token, {
    email: `${randomUUID()}@example.com`,
  })
}

async function statusOf(
  url: string,
  method: string,
  path: string,
  token: string,
  body: object,
): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'plmr-idempotency-key': randomUUID(),
    },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
  return response.status
}

/** Copies a challenge of the account until so many are live. */
async function leaveBehind(db: pg.Pool, userId: string, live: number): Promise<void> {
  await db.query(
    `INSERT INTO challenges
     SELECT new.*
     FROM (SELECT c AS one FROM challenges c WHERE subject_user_id = $1 LIMIT 1) AS chosen, generate_series(1, $2) AS n,
       LATERAL jsonb_populate_record(one, jsonb_build_object(
         'id', gen_random_uuid(), 'idempotency_key', gen_random_uuid(), 'request_fingerprint', n::text, 'status', 'pending', 'cancelled_at', NULL,
         'created_at', now(), 'expires_at', now() + interval '15 minutes'
       )) AS new`,
    [userId, live],
  )
}

function count(statuses: Map<number, number>, status: number): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
}
