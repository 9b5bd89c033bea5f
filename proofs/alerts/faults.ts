import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Ground } from '../bench/ground.ts'
import type { MailSystems } from '../chaos/mail-systems.ts'
import { type Bank, CLIENT } from './bank.ts'
import type { EventEndpoint } from './event-endpoint.ts'
import type { ServiceUnderProof } from './service-under-proof.ts'

/** Everything that a fault can break. */
export interface Place {
  readonly ground: Ground
  readonly service: ServiceUnderProof
  readonly bank: Bank
  readonly mails: MailSystems
  /** The service that opens the challenges gets its events here. */
  readonly endpoint: EventEndpoint
  readonly databaseUrl: string
}

export interface Fault {
  /** What is wrong, in the words of an operator. */
  readonly title: string
  /** The alerts that must fire. */
  readonly alerts: readonly string[]
  /** Breaks something, and returns the function that repairs it. */
  inject(place: Place): Promise<() => Promise<void>>
}

/** After so many failures, the schedule of an event has one attempt left. */
const ATTEMPTS_OF_A_DAY = 7
const COMMANDS = fileURLToPath(new URL('../../src/command-line/cli.ts', import.meta.url))

/** Repeats an action until the repair. */
async function keepOn(bank: Bank, perSecond: number, act: (n: number) => Promise<unknown>) {
  const stopping = new AbortController()
  let n = 0
  const running = bank.repeat(perSecond, () => act(n++), stopping.signal)
  return async () => {
    stopping.abort()
    await running
  }
}

async function openSession(databaseUrl: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: databaseUrl })
  // The server ends the session if something goes wrong.
  session.on('error', () => {})
  await session.connect()
  return session
}

/** A session that somebody left open, with its locks. */
async function leftOpen(databaseUrl: string, ...statements: readonly string[]) {
  const session = await openSession(databaseUrl)
  for (const statement of statements) await session.query(statement)
  return () => session.end()
}

/** Runs `countersign` beside the service. */
async function countersign(databaseUrl: string, ...command: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [COMMANDS, ...command], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
  })
}

export const GUESSES: Fault = {
  title: 'somebody guesses codes of many users',
  alerts: ['CountersignWrongCodes', 'CountersignSubjectsLocked'],
  inject: async ({ bank }) => keepOn(bank, 3, (n) => bank.guess(n)),
}

export const IMPATIENCE: Fault = {
  title: 'an app asks for codes in a loop',
  alerts: ['CountersignCooldownRefusals'],
  inject: async ({ bank }) => {
    const challenge = await bank.begin(199)
    return keepOn(bank, 20, () => bank.initiate(challenge))
  },
}

export const CHANGED_OPERATION: Fault = {
  title: 'an approval is presented with another operation',
  alerts: ['CountersignConsumptionRefused'],
  inject: async ({ bank }) => keepOn(bank, 1, (n) => bank.presentWrongly(190 - n)),
}

export const FORGED_ROW: Fault = {
  title: 'somebody sets challenges to verified in the database',
  alerts: ['CountersignForgedRows'],
  inject: async ({ bank }) => keepOn(bank, 1, (n) => bank.presentForged(140 - n)),
}

export const FORGERY: Fault = {
  title: 'tokens with forged signatures',
  alerts: ['CountersignTokensRefused'],
  inject: async ({ bank }) => keepOn(bank, 30, () => bank.forge()),
}

export const SILENT_WEBHOOK: Fault = {
  title: "Postmark's reports do not arrive",
  alerts: ['CountersignMailReportsMissing'],
  inject: async ({ mails }) => {
    mails.reports = false
    return async () => {
      mails.reports = true
    }
  },
}

export const BOUNCES: Fault = {
  title: 'mails come back',
  alerts: ['CountersignMailsBounce'],
  inject: async ({ bank, mails }) => {
    const issuances = [...mails.codes.keys()].reverse()
    return keepOn(bank, 3, async (n) => {
      const issuance = issuances[n]
      if (issuance) await mails.bounce(issuance)
    })
  },
}

export const ONE_MAIL_SYSTEM_DOWN: Fault = {
  title: 'Postmark is out of order, SMTP carries all',
  alerts: ['CountersignMailSystemFailing'],
  inject: async ({ mails }) => {
    mails.postmark = 'fails'
    return async () => {
      mails.postmark = 'takes'
    }
  },
}

export const NO_MAIL_SYSTEM: Fault = {
  title: 'both mail systems are out of order',
  alerts: ['CountersignMailsDeferred'],
  inject: async ({ mails }) => {
    mails.postmark = 'fails'
    mails.smtp = 'fails'
    return async () => {
      mails.postmark = 'takes'
      mails.smtp = 'takes'
    }
  },
}

export const HELD_ROWS: Fault = {
  title: 'an open session holds the rows of queued mails',
  alerts: ['CountersignMailsWaiting'],
  inject: async ({ databaseUrl }) =>
    leftOpen(databaseUrl, 'BEGIN', `SELECT id FROM otp_issuances WHERE status = 'queued' FOR UPDATE`),
}

export const LATE_BACKLOG: Fault = {
  title: 'its mails leave, all of them late',
  alerts: ['CountersignMailsLate'],
  // The fault before is the cause.
  inject: async () => async () => {},
}

export const REFUSED_MAILS: Fault = {
  title: 'Postmark refuses each mail for good',
  alerts: ['CountersignMailsLost'],
  inject: async ({ mails }) => {
    mails.postmark = 'refuses'
    return async () => {
      mails.postmark = 'takes'
    }
  },
}

export const GONE_ENDPOINT: Fault = {
  title: 'the endpoint of a service answers 410',
  alerts: ['CountersignWebhookPaused'],
  inject: async ({ databaseUrl, endpoint }) => {
    endpoint.answer = 'gone'
    return async () => {
      endpoint.answer = 'accepts'
      await countersign(databaseUrl, 'webhooks', 'resume', CLIENT)
    }
  },
}

export const HELD_EVENTS: Fault = {
  title: 'an open session holds the rows of events',
  alerts: ['CountersignEventsWaiting'],
  inject: async ({ databaseUrl }) => {
    const session = await openSession(databaseUrl)
    // Most events wait for a moment only.
    for (let held = 0; held === 0; ) {
      await session.query('ROLLBACK')
      await session.query('BEGIN')
      const { rows } = await session.query(
        'SELECT event_id FROM service_events WHERE finished_at IS NULL AND position IS NOT NULL FOR UPDATE',
      )
      held = rows.length
    }
    return () => session.end()
  },
}

export const REFUSED_EVENTS: Fault = {
  title: 'a service refuses events of one type for a day',
  alerts: ['CountersignEventsGivenUp'],
  inject: async ({ bank, databaseUrl, endpoint, ground }) => {
    const client = await ground.client(databaseUrl)
    endpoint.answer = 'refuses-consumed'
    // The attempts of that day. The next one is the last.
    const mend = await keepOn(bank, 1, () =>
      client.query(
        `UPDATE service_events SET attempts = $1, next_attempt_at = now()
         WHERE finished_at IS NULL AND attempts > 0 AND leased_until IS NULL`,
        [ATTEMPTS_OF_A_DAY],
      ),
    )
    return async () => {
      await mend()
      endpoint.answer = 'accepts'
    }
  },
}

export const LOCKED_TABLE: Fault = {
  title: 'an index is built without CONCURRENTLY, in a rush',
  alerts: [
    'CountersignSlow',
    'CountersignDatabasePoolExhausted',
    'CountersignErrorBudgetBurnsFast',
    'CountersignErrorBudgetBurnsSlowly',
  ],
  inject: async ({ bank, databaseUrl }) => {
    const release = await leftOpen(databaseUrl, 'BEGIN', 'CREATE INDEX ON otp_issuances (message_id)')
    // The requests of ordinary hours share statements, and leave connections free.
    const endRush = await keepOn(bank, 40, (n) => bank.begin(n))
    return async () => {
      await release()
      await endRush()
    }
  },
}

export const NO_DATABASE: Fault = {
  title: 'the database lets nobody in',
  alerts: ['CountersignDatabaseAway'],
  inject: async ({ ground, databaseUrl }) => {
    const name = new URL(databaseUrl).pathname.slice(1)
    const serverUrl = new URL(databaseUrl)
    serverUrl.pathname = 'postgres'
    const admin = await ground.client(serverUrl.href)
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'countersign'`,
      [name],
    )
    return async () => {
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    }
  },
}

export const EARLY_VERSION: Fault = {
  title: 'a version comes before its migration',
  alerts: ['CountersignNotReady'],
  inject: async ({ ground, databaseUrl }) => {
    const client = await ground.client(databaseUrl)
    const { rows } = await client.query(
      `UPDATE _prisma_migrations SET rolled_back_at = now()
       WHERE id = (SELECT id FROM _prisma_migrations ORDER BY started_at DESC LIMIT 1) RETURNING id`,
    )
    return async () => {
      await client.query('UPDATE _prisma_migrations SET rolled_back_at = NULL WHERE id = $1', [rows[0].id])
    }
  },
}

export const STUCK_PURGE: Fault = {
  title: 'an open session holds the turn to purge',
  alerts: ['CountersignRetentionOverdue'],
  inject: async ({ ground, databaseUrl }) => {
    const release = await leftOpen(databaseUrl, `SELECT pg_advisory_lock(hashtext('countersign.retention'))`)
    const client = await ground.client(databaseUrl)
    // Copies a challenge with times of 200 days ago.
    await client.query(
      `INSERT INTO challenges SELECT (jsonb_populate_record(c, jsonb_build_object(
         'id', '01890000-0000-7000-8000-000000000001', 'idempotency_key', 'of old',
         'created_at', now() - interval '200 days', 'expires_at', now() - interval '199 days'))).*
       FROM challenges c LIMIT 1`,
    )
    return async () => {
      await release()
      await countersign(databaseUrl, 'purge')
    }
  },
}

export const NO_ANCHORS: Fault = {
  title: 'the newest anchor of the trail is three hours old',
  alerts: ['CountersignTrailNotAnchored'],
  inject: async ({ ground, databaseUrl }) => {
    const client = await ground.client(databaseUrl)
    // They take the places of this hour and the next, so that no process makes another.
    await client.query('SET session_replication_role = replica')
    await client.query('DELETE FROM trail_anchors')
    await client.query(
      `INSERT INTO trail_anchors (number, hour, first_id, last_id, events, digest, previous, signed_at, key_id, signature)
       SELECT n, date_trunc('hour', now()) + (n - 1) * interval '1 hour', 1, 0, 0, '', '', now() - interval '3 hours', '', ''
       FROM generate_series(1, 2) AS n`,
    )
    return async () => void (await client.query('DELETE FROM trail_anchors'))
  },
}

export const NO_CPU: Fault = {
  title: 'a worker gets no CPU for a second at a time',
  alerts: ['CountersignEventLoopLag'],
  inject: async ({ bank, service }) => {
    const [worker] = await service.workerPids()
    return keepOn(bank, 0.5, async () => {
      process.kill(worker!, 'SIGSTOP')
      await wait(1000)
      process.kill(worker!, 'SIGCONT')
    })
  },
}

export const DYING_WORKERS: Fault = {
  title: 'a worker is killed every three seconds',
  alerts: ['CountersignWorkersDie'],
  inject: async ({ bank, service }) =>
    keepOn(bank, 1 / 3, async () => {
      const [oldest] = await service.workerPids()
      if (oldest) process.kill(oldest, 'SIGKILL')
    }),
}

export const DEAD_SERVICE: Fault = {
  title: 'the service is killed',
  alerts: ['CountersignDown', 'CountersignInstanceDown'],
  inject: async ({ service }) => {
    await service.kill()
    return () => service.start()
  },
}

/** A rate rises from the second scrape on. */
const TWO_SCRAPES_IN_MS = 8000

export const LOST_KEY: Fault = {
  title: 'the key of codes under way is taken out',
  alerts: ['CountersignOtpKeyMissing'],
  inject: async ({ bank, ground, service }) => {
    const challenges = await Promise.all([150, 151, 152, 153].map((n) => bank.begin(n)))
    const other = Buffer.from(ground.otpKey).reverse().toString('base64')
    await service.stop()
    await service.start({ OTP_KEYS: `k2:${other}` })
    await wait(TWO_SCRAPES_IN_MS)
    const mend = await keepOn(bank, 1, (n) => bank.verify(challenges[n % 4]!, '000000'))
    return async () => {
      await mend()
      await service.stop()
      await service.start({ OTP_KEYS: `k2:${other},k1:${ground.otpKey.toString('base64')}` })
    }
  },
}
