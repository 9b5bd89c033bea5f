import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { JSONWebKeySet } from 'jose'
import pg from 'pg'
import { until } from '../../test/journeys/client.ts'
import { putHistory } from '../../test/support/history.ts'
import { layGround } from '../bench/ground.ts'
import { TcpProxy } from '../faults/tcp-proxy.ts'
import { Caller, CutShort } from './caller.ts'
import { Dice } from './dice.ts'
import { Instance } from './instance.ts'
import { Ledger } from './ledger.ts'
import { Mailroom } from './mailroom.ts'
import { type Limits, type Place, Tokens } from './place.ts'
import { tellOf, WEBHOOK } from './post-news.ts'
import { type CheckResults, reconcile } from './reconciliation.ts'
import { TroubleLog } from './trouble-log.ts'
import {
  type Breakable,
  databaseTroubles,
  keepTroubling,
  MAIL_TROUBLES,
  Purge,
  RESTARTS,
  type Rhythm,
  restart,
} from './troubles.ts'
import { growth, type Trend, trendsOf } from './vital-signs.ts'
import { nextWalk } from './walks.ts'

export interface SoakPlan {
  readonly seed: number
  /** How long new walks begin. Walks that have begun are finished. */
  readonly loadInMs: number
  readonly walksPerSecond: number
  readonly limits: Limits
  readonly rhythms: { readonly restarts: Rhythm; readonly mail: Rhythm; readonly database: Rhythm }
  /** How many challenges of the last hundred days exist before the run, for the purge. */
  readonly history: number
  readonly lookEveryMs: number
  /**
   * Ends the leases of dead processes, instead of waiting until they run out. It starts another process, which sends the remaining
   * mails.
   */
  readonly endLeases: boolean
  /** Rejects to end the run at once. */
  readonly interrupted?: Promise<never>
  /** Called with the progress from time to time. */
  readonly progress?: (line: string) => void
}

export interface Soak {
  readonly seconds: number
  readonly requests: number
  readonly walks: ReadonlyMap<string, { readonly begun: number; readonly finished: number }>
  readonly troubles: ReadonlyMap<string, number>
  readonly findings: CheckResults
  /** The trends of the process that lived longest. */
  readonly trends: readonly Trend[]
  readonly livedInSeconds: number
  /** Statements that more than one request shared, as far as they were seen. */
  readonly sharedStatements: number
  /** The violations. Empty if the service is correct. */
  readonly violations: readonly string[]
}

/** With more walks at the same time, the machine does not keep up. Then a due walk is skipped. */
const MOST_WALKS_AT_ONCE = 120
const PROGRESS_EVERY_MS = 30_000
/** The share of the run after which it kills the process that then lives to the end. */
const KILL_OF_THE_STEADY = 0.08
/** A lease, the longest wait for another attempt, and one attempt with two mail systems. */
const LAST_ATTEMPT_IN_MS = 90_000

/** Loads two processes with honest and hostile walks, injects troubles, and compares all answers with the stored state. */
export async function soak(plan: SoakPlan): Promise<Soak> {
  const run = new SoakRun(plan)
  try {
    const running = run.execute()
    // Ignore the errors of an interrupted run.
    running.catch(() => {})
    return await (plan.interrupted ? Promise.race([running, plan.interrupted]) : running)
  } finally {
    await run.close()
  }
}

class SoakRun {
  readonly #plan: SoakPlan
  readonly #ledger = new Ledger()
  readonly #log = new TroubleLog()
  readonly #closers: (() => Promise<unknown>)[] = []
  readonly #underWay = new Set<Promise<void>>()
  /** Reports that are being sent. */
  readonly #reporting = new Set<Promise<void>>()
  #leftOut = 0

  constructor(plan: SoakPlan) {
    this.#plan = plan
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close().catch(() => {})
  }

  async execute(): Promise<Soak> {
    const { place, breakable, purge, jwks } = await this.#stage()
    const [restless, steady] = breakable.instances
    for (const instance of breakable.instances) instance.watch(this.#plan.lookEveryMs, this.#log)
    const startedAt = performance.now()
    const reporting = this.#reportProgress(steady, startedAt)

    const stop = new AbortController()
    const troubling = this.#trouble(breakable, purge, stop.signal)
    await Promise.race([this.#load(place), troubling])
    stop.abort()
    await troubling
    await Promise.all(this.#underWay)
    const seconds = (performance.now() - startedAt) / 1000
    clearInterval(reporting)
    this.#plan.progress?.('the load is over, walks in progress finish')

    const violations = await this.#settle(breakable)
    for (const instance of breakable.instances) await instance.stopWatching()
    if ((await purge.again()) !== 0) violations.push('the last purge failed')
    const findings = await reconcile({
      ledger: this.#ledger,
      log: this.#log,
      arrivals: breakable.mailroom.arrivals,
      db: breakable.db,
      limits: this.#plan.limits,
      jwks,
      retentionInDays: purge.retentionInDays,
    })
    const lives = breakable.instances.flatMap((instance) => instance.lives)
    const sharedStatements = lives.reduce((sum, { signs }) => sum + (signs.at(-1)?.sharedStatements ?? 0), 0)
    if (sharedStatements === 0) violations.push('no two requests shared a statement')
    const longest = steady.lives.toSorted((one, other) => other.signs.length - one.signs.length)[0]!
    return {
      seconds,
      requests: this.#ledger.calls.length,
      walks: this.#ledger.walks,
      troubles: this.#log.counts(),
      findings,
      trends: trendsOf(longest.signs).trends,
      sharedStatements,
      livedInSeconds: ((longest.signs.at(-1)?.at ?? 0) - (longest.signs[0]?.at ?? 0)) / 1000,
      violations: [
        ...violations,
        ...this.#ledger.complaints,
        ...restless.complaints,
        ...steady.complaints,
        ...findings.violations,
        ...growth('the steady process', longest.signs),
        ...(await this.#logViolations(place.ground.folder)),
      ],
    }
  }

  /** The service with everything that it depends on. */
  async #stage() {
    const { seed, limits } = this.#plan
    const ground = await layGround()
    this.#closers.push(() => ground.leave())
    const databaseUrl = await ground.createDatabase('soak', 'migrated')
    await putHistory(await ground.client(databaseUrl), this.#plan.history)
    const database = await TcpProxy.to(databaseUrl)
    this.#closers.push(() => database.close())
    const db = new pg.Pool({ connectionString: databaseUrl, max: 4 })
    db.on('error', () => {})
    this.#closers.push(() => db.end())

    const news = new Dice(seed, 'news')
    const later = (reporting: Promise<void>) => this.#follow(reporting, this.#reporting)
    const answers = new Dice(seed, 'answers')
    const mailroom = await Mailroom.open((mailId) => tellOf(place, mailId, news, later), answers)
    this.#closers.push(() => mailroom.close())
    const env = {
      MAIL_TRANSPORT: 'postmark,smtp',
      SMTP_URL: mailroom.smtpUrl,
      POSTMARK_API_URL: mailroom.postmarkUrl,
      POSTMARK_SERVER_TOKEN: 'a token of the soak',
      POSTMARK_WEBHOOK_AUTH: WEBHOOK,
      OTP_LIFETIME_SECONDS: String(limits.codeLifetimeInSeconds),
      OTP_RESEND_COOLDOWN_SECONDS: String(limits.cooldownInSeconds),
      OTP_MAX_ATTEMPTS: String(limits.maxAttempts),
      OTP_MAX_ISSUANCES: String(limits.maxIssuances),
      SUBJECT_MAX_FAILURES: String(limits.subjectMaxFailures),
      SUBJECT_LOCK_SECONDS: String(limits.subjectLockInSeconds),
      SUBJECT_MAX_ISSUANCES: String(limits.subjectMaxIssuances),
      MAILBOX_MAX_ISSUANCES: '1000',
      SUBJECT_MAX_CHALLENGES: '1000',
    }
    const proxied = database.urlOf(databaseUrl)
    const instances = [
      await Instance.at('the restless process', ground, proxied, env),
      await Instance.at('the steady process', ground, proxied, env),
    ] as const
    for (const instance of instances) {
      this.#closers.push(() => instance.end('SIGKILL'))
      this.#closers.push(() => instance.stopWatching())
      await instance.start()
    }
    const [one, other] = instances
    const place: Place = {
      ground,
      caller: new Caller([one.url, other.url], this.#ledger, new Dice(seed, 'balancer')),
      ledger: this.#ledger,
      limits,
      tokens: new Tokens(ground),
      codes: mailroom.systems.codes,
      db,
    }
    const keys = await fetch(`${other.url}/.well-known/jwks.json`)
    const jwks = (await keys.json()) as JSONWebKeySet
    const breakable: Breakable = {
      instances,
      mailroom,
      database,
      db,
      log: this.#log,
    }
    return { place, breakable, purge: new Purge(databaseUrl), jwks }
  }

  /** Begins so many walks a second, whether or not earlier ones have finished. */
  async #load(place: Place): Promise<void> {
    const { seed, loadInMs, walksPerSecond } = this.#plan
    const dice = new Dice(seed, 'walks')
    const startedAt = performance.now()
    for (let count = 0; performance.now() - startedAt < loadInMs; count++) {
      const next = nextWalk(dice)
      if (this.#underWay.size < MOST_WALKS_AT_ONCE) {
        this.#follow(this.#walk(next, place, new Dice(seed, `walk ${count}`)), this.#underWay)
      } else this.#leftOut++
      await wait(Math.max(0, startedAt + ((count + 1) * 1000) / walksPerSecond - performance.now()))
    }
  }

  async #walk({ name, walk }: ReturnType<typeof nextWalk>, place: Place, dice: Dice): Promise<void> {
    this.#ledger.begun(name)
    try {
      await walk(place, dice)
      this.#ledger.finished(name)
    } catch (error) {
      if (!(error instanceof CutShort)) this.#ledger.complain(`a walk (${name}) failed: ${String(error)}`)
    }
  }

  #follow(work: Promise<void>, all: Set<Promise<void>>): void {
    const followed: Promise<void> = work
      .catch((error: unknown) => {
        if (!(error instanceof CutShort)) this.#ledger.complain(String(error))
      })
      .finally(() => all.delete(followed))
    all.add(followed)
  }

  async #trouble(breakable: Breakable, purge: Purge, stop: AbortSignal): Promise<void> {
    const { seed, rhythms, loadInMs } = this.#plan
    const steadyKilled = wait(loadInMs * KILL_OF_THE_STEADY, undefined, { signal: stop }).then(
      () => restart(breakable, 1, 'SIGKILL', 100),
      () => {},
    )
    await Promise.all([
      steadyKilled,
      keepTroubling(RESTARTS, breakable, rhythms.restarts, new Dice(seed, 'restarts'), stop),
      keepTroubling(MAIL_TROUBLES, breakable, rhythms.mail, new Dice(seed, 'mail'), stop),
      keepTroubling(databaseTroubles(purge), breakable, rhythms.database, new Dice(seed, 'database'), stop),
    ])
  }

  /** Waits until no work remains, and stops both processes. Returns what never finished. */
  async #settle({ instances, db }: Breakable): Promise<string[]> {
    const [, steady] = instances
    await Promise.all(this.#reporting)
    if (this.#plan.endLeases) {
      const over = this.#log.begin('SIGTERM', 'instance 0', 'instance 1')
      for (const instance of instances) await instance.end('SIGTERM')
      for (const outbox of ['otp_issuances', 'lock_notices']) {
        await db.query(`UPDATE ${outbox} SET next_attempt_at = now() WHERE status = 'queued'`)
      }
      await steady.start()
      over()
    }
    const queued = async () => {
      const { rows } = await db.query<{ id: string }>(
        `SELECT id FROM otp_issuances WHERE status = 'queued' UNION ALL SELECT id FROM lock_notices WHERE status = 'queued'`,
      )
      return rows.map(({ id }) => id)
    }
    const patience = this.#plan.limits.codeLifetimeInSeconds * 1000 + LAST_ATTEMPT_IN_MS
    const violations = await until(queued, (left) => left.length === 0, patience).then(
      () => [],
      (error: Error) => [`mails are queued for good: ${error.message}`],
    )
    await Promise.all(this.#reporting)
    for (const instance of instances) await instance.end('SIGTERM')
    return violations
  }

  /** What no log of the service may contain. */
  async #logViolations(folder: string): Promise<string[]> {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.log'))
    const violations: string[] = []
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8')
      if (text.includes('@example.com')) violations.push(`${file} holds an address`)
      const fatal = /^.*"level":60.*$/m.exec(text)?.[0]
      if (fatal) violations.push(`${file}: ${fatal}`)
    }
    return violations
  }

  #reportProgress(steady: Instance, startedAt: number): NodeJS.Timeout | undefined {
    const { progress } = this.#plan
    let before = 0
    return (
      progress &&
      setInterval(() => {
        const { calls, complaints } = this.#ledger
        const signs = steady.lives.at(-1)?.signs.at(-1)
        const since = calls.slice(before)
        before = calls.length
        const share = (matches: (status: number | undefined) => boolean) =>
          since.filter(({ status }) => matches(status)).length
        progress(
          [
            `${Math.round((performance.now() - startedAt) / 1000)} s`,
            `${(since.length / (PROGRESS_EVERY_MS / 1000)).toFixed(0)} requests/s`,
            `${share((status) => status !== undefined && status < 300)} done`,
            `${share((status) => status !== undefined && status >= 300 && status < 500)} refused`,
            `${share((status) => status !== undefined && status >= 500)} 5xx`,
            `${share((status) => status === undefined)} unanswered`,
            `${this.#underWay.size} walks in progress, ${this.#leftOut} skipped`,
            `${this.#log.troubles.length} troubles`,
            signs &&
              `steady: ${signs.residentMemory.toFixed(0)} MiB, heap ${signs.heap.toFixed(0)} MiB, ${signs.openFiles} files`,
            `${complaints.length} complaints`,
          ].join(' · '),
        )
      }, PROGRESS_EVERY_MS)
    )
  }
}
