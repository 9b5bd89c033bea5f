import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'

/** What the thread of the attack gets. It says when it begins, attacks until it gets a message, and answers with how often each status came. */
export interface Attack {
  readonly url: string
  readonly databaseUrl: string
  readonly tokens: { readonly payments: string; readonly crm: string }
  readonly userId: string
  /** The body of a call that opens a challenge of the account. */
  readonly demand: object
  /** Live challenges of the account before each changed address. */
  readonly leftBehind: number
  /** Calls at a time. */
  readonly callers: number
}

// It stands for other machines. On this one it takes only what nobody else wants.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW)

const { url, databaseUrl, tokens, userId, demand, leftBehind, callers } = workerData as Attack
const answers = new Map<number, number>()
const db = new pg.Client({ connectionString: databaseUrl })
await db.connect()
parentPort!.postMessage('begun')
let isOver = false
const attackers = [
  ...Array.from({ length: callers }, () => repeat(create)),
  repeat(async () => {
    await leaveBehind()
    await changeAddress()
  }),
]
await once(parentPort!, 'message')
isOver = true
await Promise.all(attackers)
// At its end the account is asked for more challenges than it may have live.
await changeAddress()
await Promise.all(Array.from({ length: callers * 2 }, create))
await db.end()
parentPort!.postMessage(answers)

async function repeat(act: () => Promise<void>): Promise<void> {
  while (!isOver) await act()
}

function create(): Promise<void> {
  return call('POST', '/internal/v1/mfa/challenges', tokens.payments, demand)
}

function changeAddress(): Promise<void> {
  return call('PUT', `/internal/v1/mfa/users/${userId}`, tokens.crm, { email: `${randomUUID()}@example.com` })
}

async function call(method: string, path: string, token: string, body: object): Promise<void> {
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
  answers.set(response.status, (answers.get(response.status) ?? 0) + 1)
}

/** Copies a challenge of the account until so many are live. */
async function leaveBehind(): Promise<void> {
  await db.query(
    `INSERT INTO challenges
     SELECT new.*
     FROM (SELECT c AS one FROM challenges c WHERE subject_user_id = $1 LIMIT 1) AS chosen, generate_series(1, $2) AS n,
       LATERAL jsonb_populate_record(one, jsonb_build_object(
         'id', gen_random_uuid(), 'idempotency_key', gen_random_uuid(), 'request_fingerprint', n::text, 'status', 'pending', 'cancelled_at', NULL,
         'created_at', now(), 'expires_at', now() + interval '15 minutes'
       )) AS new`,
    [userId, leftBehind],
  )
}
