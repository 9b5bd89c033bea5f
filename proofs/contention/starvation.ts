import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { openChallenge, paymentsToken, registerUser, tokenOf } from '../../test/journeys/client.ts'
import { createDataDir, startProcess } from '../../test/journeys/service-process.ts'
import { bytesOf, drivePaced } from '../bench/load.ts'
import type { Attack } from './attack.ts'

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
    const workerData: Attack = {
      url,
      databaseUrl,
      tokens,
      userId,
      demand: demandOf(userId),
      leftBehind,
      callers,
    }

    for (let window = 0; window < windows * 2; window++) {
      const isAttacked = window % 2 === 1
      // On a thread of its own, so that the calls of the others are not late because of its answers.
      const attackers = isAttacked
        ? new Worker(new URL('./attack.ts', import.meta.url), { workerData })
        : undefined
      if (attackers) await once(attackers, 'message')
      await confirmAsOthers(url, tokens.payments, isAttacked ? attacked : quiet, secondsPerWindow)
      if (!attackers) continue
      attackers.postMessage('stop')
      const [answers] = (await once(attackers, 'message')) as [Map<number, number>]
      for (const [status, times] of answers) attack.set(status, (attack.get(status) ?? 0) + times)
    }
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

async function confirmAsOthers(url: string, token: string, seen: Seen, seconds: number): Promise<void> {
  const requests = Array.from({ length: seconds * CALLS_PER_SECOND }, () =>
    bytesOf({
      method: 'POST',
      path: '/internal/v1/mfa/challenges',
      headers: { Authorization: `Bearer ${token}`, 'plmr-idempotency-key': randomUUID() },
      body: demandOf(`other-${randomUUID()}`),
    }),
  )
  const { latencies, statuses } = await drivePaced(url, requests, CALLS_PER_SECOND)
  seen.latencies.push(...latencies)
  for (const [status, times] of statuses) seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + times)
}

function demandOf(subjectUserId: string): object {
  return {
    subjectUserId,
    operation: {
      type: 'payments.initiate',
      digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
      summary: [{ label: 'Amount', value: 'EUR 1.00' }],
    },
  }
}
