import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import type { TcpProxy } from '../faults/tcp-proxy.ts'
import type { Dice } from './dice.ts'
import type { Instance } from './instance.ts'
import type { Mailroom } from './mailroom.ts'
import type { TroubleLog } from './trouble-log.ts'

/** Everything that a trouble can break. */
export interface Breakable {
  readonly instances: readonly [Instance, Instance]
  readonly mailroom: Mailroom
  /** The proxy between the service and its database. */
  readonly database: TcpProxy
  /** A connection past the proxy. */
  readonly db: pg.Pool
  readonly log: TroubleLog
}

/** How long troubles of one kind last, and the pause after each, in milliseconds. */
export interface Rhythm {
  readonly lasting: readonly [least: number, most: number]
  readonly quiet: readonly [least: number, most: number]
}

/** Breaks something for this time, and resolves when everything works again. */
type Trouble = (place: Breakable, forMs: number, dice: Dice) => Promise<void>

/** Breaks one thing after the other, each kind once a round, until stopped. Afterwards everything works again. */
export async function keepTroubling(
  troubles: readonly Trouble[],
  place: Breakable,
  { lasting, quiet }: Rhythm,
  dice: Dice,
  stop: AbortSignal,
): Promise<void> {
  let round: Trouble[] = []
  for (;;) {
    await wait(dice.between(...quiet), undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) return
    if (round.length === 0) round = dice.shuffled(troubles)
    await round.pop()!(place, dice.between(...lasting), dice)
  }
}

/** Ends a process, and starts it again after a while. */
export async function restart(
  { instances, log }: Breakable,
  which: 0 | 1,
  signal: 'SIGTERM' | 'SIGKILL',
  downForMs: number,
): Promise<void> {
  const over = log.begin(signal, `instance ${which}`)
  await instances[which].end(signal)
  await wait(downForMs)
  await instances[which].start()
  await instances[which].ready()
  over()
}

/** Only for one process. The other one lives on, and its vital signs are measured. */
export const RESTARTS: readonly Trouble[] = [
  (place, forMs) => restart(place, 0, 'SIGTERM', forMs),
  (place, forMs) => restart(place, 0, 'SIGKILL', forMs),
]

const way =
  (which: 'postmark' | 'smtp', name: string, begin: (way: TcpProxy) => unknown): Trouble =>
  async ({ mailroom, log }, forMs) => {
    const over = log.begin(`${which} ${name}`, which)
    await begin(mailroom.ways[which])
    await wait(forMs)
    await mailroom.ways[which].pass()
    over()
  }

/** Accepts mails, but hangs up before it answers. Answers the second time. */
const hangingUp =
  (which: 'postmark' | 'smtp'): Trouble =>
  async ({ mailroom, log }, forMs) => {
    const over = log.begin(`${which} hangs up`, which)
    mailroom.hangingUp.add(which)
    await wait(forMs)
    mailroom.hangingUp.delete(which)
    over()
  }

const outOfOrder =
  (...which: readonly ('postmark' | 'smtp')[]): Trouble =>
  async ({ mailroom, log }, forMs) => {
    const over = log.begin(`${which.join(' and ')} out of order`, ...which)
    for (const each of which) mailroom.systems[each] = 'fails'
    await wait(forMs)
    for (const each of which) mailroom.systems[each] = 'takes'
    over()
  }

export const MAIL_TROUBLES: readonly Trouble[] = [
  outOfOrder('postmark'),
  outOfOrder('smtp'),
  outOfOrder('postmark', 'smtp'),
  way('postmark', 'refuses connections', (to) => to.refuse()),
  way('postmark', 'is slow', (to) => to.slow(400)),
  way('postmark', 'keeps silent', (to) => to.hang()),
  way('smtp', 'refuses connections', (to) => to.refuse()),
  way('smtp', 'is slow', (to) => to.slow(200)),
  hangingUp('postmark'),
  async (place, forMs, dice) => {
    await Promise.all([outOfOrder('postmark')(place, forMs, dice), hangingUp('smtp')(place, forMs, dice)])
  },
]

/** Ends all sessions of the service, or only the busy ones. */
const sessionsEnded =
  (which: 'all' | 'busy'): Trouble =>
  async ({ db, log }) => {
    const over = log.begin(`database ends ${which} sessions`, 'database')
    await db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'countersign' AND datname = current_database() AND ($1 = 'all' OR state <> 'idle')`,
      [which],
    )
    over()
  }

const COMMANDS = fileURLToPath(new URL('../../src/command-line/cli.ts', import.meta.url))
const OLDEST_IN_DAYS = 95
const STEP_IN_DAYS = 5

/** Reduces the retention by a few days each time, so that each purge has something to delete. */
export class Purge {
  readonly #databaseUrl: string
  #days = OLDEST_IN_DAYS

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl
  }

  /** Older challenges were deleted, or were being deleted. */
  get retentionInDays(): number {
    return this.#days
  }

  /** Resolves with the exit code. */
  async more(): Promise<number> {
    this.#days = Math.max(2, this.#days - STEP_IN_DAYS)
    return this.again()
  }

  async again(): Promise<number> {
    const child = spawn(process.execPath, [COMMANDS, 'purge'], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: this.#databaseUrl,
        RETENTION_DAYS: String(this.#days),
      },
      stdio: 'ignore',
    })
    const [code] = await once(child, 'exit')
    return code
  }
}

/** @param purge its sessions may be ended with those of the service. It runs once more at the end. */
export function databaseTroubles(purge: Purge): readonly Trouble[] {
  return [
    sessionsEnded('busy'),
    sessionsEnded('all'),
    async ({ database, log }) => {
      const over = log.begin('database connections cut', 'database')
      database.cutAll()
      over()
    },
    async ({ database, log }, forMs) => {
      const over = log.begin('database stands still', 'database')
      database.hold()
      await wait(forMs)
      await database.pass()
      over()
    },
    async ({ log }) => {
      // It explains no fault.
      const over = log.begin('purge')
      await purge.more()
      over()
    },
  ]
}
