import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { bucketOf } from '../../src/domain/bucket.ts'
import { until } from '../../test/journeys/client.ts'
import { endProcess, usageOf } from '../processes.ts'
import { type Confirmed, type Groups, type Orders, userOf, type Witness } from './orders.ts'

export interface ContentionPlan {
  /** An empty database with all migrations. */
  readonly databaseUrl: string
  /** Whether its tables are on several servers. */
  readonly sharding?: 'none' | 'citus'
  /** How the processes reach it, if there is a pooler in between. */
  readonly poolerUrl?: string
  /** More for the environment of the processes. */
  readonly env?: Readonly<Record<string, string>>
  readonly processes: number
  /** Calls at a time, of each process. */
  readonly callers: number
  /** Decisions of all processes together. */
  readonly decisions: number
  readonly subjects: number
  /** The server, whose CPU time is then measured. */
  readonly postgresPid?: number
}

export interface Contention {
  readonly seconds: number
  readonly decisions: number
  readonly opened: number
  readonly lostRaces: number
  readonly gaveUp: number
  /** By the name of the statement for one. */
  readonly groups: Readonly<Record<string, Groups>>
  readonly databaseCpuInMs: number
  readonly processCpuInMs: number
  readonly deadlocks: number
  /** The violations. Empty if the service is correct. */
  readonly violations: readonly string[]
}

const PROCESS = fileURLToPath(new URL('deciding-process.ts', import.meta.url))
const DEADLOCK = /deadlock detected/g
const SESSIONS = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'countersign'`

/** Lets several processes decide about the same few subjects, and compares what the store confirmed with what is stored. */
export async function contend(plan: ContentionPlan): Promise<Contention> {
  const db = new pg.Pool({ connectionString: plan.databaseUrl, max: 2 })
  const children = Array.from({ length: plan.processes }, () =>
    fork(PROCESS, {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: plan.poolerUrl ?? plan.databaseUrl,
        DATABASE_SHARDING: plan.sharding ?? 'none',
        ...plan.env,
      },
      serialization: 'advanced',
    }),
  )
  try {
    // The log of a server elsewhere is out of reach. There a deadlock shows as a failed call.
    const serverLog = plan.sharding === 'citus' ? async () => '' : await readServerLog(db)
    for (let n = 0; n < plan.subjects; n++) {
      const { subject, address } = userOf(n)
      await db.query(
        `INSERT INTO users (bucket, user_id, email, created_at, updated_at) VALUES ($1, $2, $3, now(), now())
         ON CONFLICT DO NOTHING`,
        [bucketOf(subject), subject, address],
      )
    }
    await Promise.all(children.map((child) => Promise.race([once(child, 'message'), endedEarly(child)])))
    const cpu = plan.postgresPid === undefined ? 0 : usageOf(plan.postgresPid).cpuInMs
    const startedAt = performance.now()
    const witnesses = await Promise.all(
      children.map(async (child, n) => {
        const orders: Orders = {
          process: `p${n}`,
          callers: plan.callers,
          decisions: Math.ceil(plan.decisions / plan.processes),
          subjects: plan.subjects,
        }
        child.send(orders)
        const [witness] = await Promise.race([once(child, 'message'), endedEarly(child)])
        return witness as Witness
      }),
    )
    const seconds = (performance.now() - startedAt) / 1000
    const databaseCpuInMs = plan.postgresPid === undefined ? 0 : usageOf(plan.postgresPid).cpuInMs - cpu
    await Promise.all(children.map((child) => endProcess(child)))

    const deadlocks = (await deadlocksOf(db)) + [...(await serverLog()).matchAll(DEADLOCK)].length
    const sum = (of: (witness: Witness) => number) => witnesses.reduce((total, each) => total + of(each), 0)
    return {
      seconds,
      decisions: sum(({ confirmed }) => confirmed.length),
      opened: sum(({ opened }) => opened.length),
      lostRaces: sum(({ lostRaces }) => lostRaces),
      gaveUp: sum(({ gaveUp }) => gaveUp),
      groups: together(witnesses),
      databaseCpuInMs,
      processCpuInMs: sum(({ cpuInMs }) => cpuInMs),
      deadlocks,
      violations: [
        ...witnesses.flatMap(({ failures }) => failures),
        ...(deadlocks > 0 ? [`${deadlocks} deadlocks`] : []),
        ...versionViolations(witnesses, await versionsIn(db)),
        ...(await trailViolations(db, witnesses)),
        ...(await stateViolations(db)),
      ],
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await db.end()
  }
}

async function endedEarly(child: ReturnType<typeof fork>): Promise<never> {
  const [status] = await once(child, 'exit')
  throw new Error(`a process ended with ${status}`)
}

/** Gives what the server has logged since now. */
async function readServerLog(db: pg.Pool): Promise<() => Promise<string>> {
  const { rows } = await db.query<{ data_directory: string }>('SHOW data_directory')
  const file = join(dirname(rows[0]!.data_directory), 'server.log')
  const { length } = await readFile(file)
  return async () => (await readFile(file)).subarray(length).toString()
}

/** A session reports when it ends, so ends all of them, also those that a pooler keeps. */
async function deadlocksOf(db: pg.Pool): Promise<number> {
  await db.query(`SELECT pg_terminate_backend(pid) ${SESSIONS}`)
  const { rows } = await until(
    () =>
      db.query<{ deadlocks: number; others: number }>(
        `SELECT deadlocks::integer, (SELECT count(*)::integer ${SESSIONS}) AS others
         FROM pg_stat_database WHERE datname = current_database()`,
      ),
    ({ rows: [row] }) => row!.others === 0,
  )
  return rows[0]!.deadlocks
}

function together(witnesses: readonly Witness[]): Record<string, Groups> {
  const all: Record<string, Groups> = {}
  for (const { groups } of witnesses) {
    for (const [name, { statements, members, ofSeveral, largest }] of Object.entries(groups)) {
      const known = all[name] ?? { statements: 0, members: 0, ofSeveral: 0, largest: 0 }
      all[name] = {
        statements: known.statements + statements,
        members: known.members + members,
        ofSeveral: known.ofSeveral + ofSeveral,
        largest: Math.max(known.largest, largest),
      }
    }
  }
  return all
}

async function versionsIn(db: pg.Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ subject: string; version: number }>(
    'SELECT subject_user_id AS subject, version FROM subject_standings',
  )
  return new Map(rows.map(({ subject, version }) => [subject, version]))
}

/** Exactly one decision was confirmed on each version of a subject. */
function versionViolations(witnesses: readonly Witness[], stored: ReadonlyMap<string, number>): string[] {
  const violations: string[] = []
  const bySubject = Map.groupBy(
    witnesses.flatMap(({ confirmed }) => confirmed),
    ({ subject }) => subject,
  )
  for (const [subject, version] of stored) {
    const versions = (bySubject.get(subject) ?? []).map((each) => each.version).toSorted((a, b) => a - b)
    if (versions.length !== version || versions.some((each, n) => each !== n)) {
      violations.push(`${subject} has version ${version}, and ${versions.length} decisions were confirmed`)
    }
  }
  return violations
}

/** Each confirmed decision left its events, in their order, and nothing else left any. */
async function trailViolations(db: pg.Pool, witnesses: readonly Witness[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string; types: string[] }>(
    'SELECT request_id AS id, array_agg(type ORDER BY id) AS types FROM challenge_events GROUP BY request_id',
  )
  const expected = new Map<string, Confirmed['events']>()
  const violations: string[] = []
  const keys = new Set<string>()
  for (const { confirmed, opened } of witnesses) {
    for (const { requestId, events } of confirmed) expected.set(requestId, events)
    for (const [requestId, key] of opened) {
      expected.set(requestId, ['challenge-opened'])
      if (keys.has(key)) violations.push(`two calls opened a challenge under ${key}`)
      keys.add(key)
    }
  }
  for (const { id, types } of rows) {
    const events = expected.get(id) ?? []
    if (events.join() !== types.join()) violations.push(`${id} was answered ${events}, and left ${types}`)
    expected.delete(id)
  }
  for (const [id, events] of expected) violations.push(`${id} was answered ${events}, and left nothing`)
  return violations
}

/** The challenges and issuances agree with the trail. */
async function stateViolations(db: pg.Pool): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(`
    SELECT c.id
    FROM challenges c
    JOIN (
      SELECT bucket, challenge_id, min((details ->> 'attemptsRemaining')::integer) AS remaining,
        count(*) FILTER (WHERE type = 'otp-rejected') AS rejected,
        count(DISTINCT details ->> 'attemptsRemaining') AS counts,
        count(*) FILTER (WHERE type = 'otp-issued') AS issued,
        count(*) FILTER (WHERE type = 'challenge-verified') AS verified,
        count(*) FILTER (WHERE type = 'challenge-consumed') AS consumed,
        count(*) FILTER (WHERE type = 'challenge-exhausted') AS exhausted
      FROM challenge_events GROUP BY bucket, challenge_id
    ) e ON e.bucket = c.bucket AND e.challenge_id = c.id
    WHERE c.attempts_remaining <> coalesce(e.remaining, c.attempts_remaining)
      OR e.rejected <> e.counts
      OR c.issuance_count <> e.issued
      OR c.issuance_count <> (
        SELECT count(*) FROM otp_issuances i WHERE i.bucket = c.bucket AND i.challenge_id = c.id
      )
      OR (c.verified_at IS NOT NULL)::integer <> e.verified
      OR (c.status = 'consumed')::integer <> e.consumed
      OR (c.status = 'exhausted')::integer <> e.exhausted`)
  return rows.map(({ id }) => `challenge ${id} is not what its events say`)
}
