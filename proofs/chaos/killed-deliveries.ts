import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { openChallenge, registerUser, tokenOf } from '../../test/journeys/client.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../../test/journeys/service-process.ts'
import { type Arrival, type CountingInbox, countingInbox } from '../../test/support/counting-inbox.ts'
import { type GroupWatch, groupWatch } from '../../test/support/group-watch.ts'
import { call } from '../../test/support/http-call.ts'
import { seededFraction } from './seeded-fraction.ts'

export interface KilledDeliveriesPlan {
  /** An empty database with all migrations. */
  readonly databaseUrl: string
  readonly rounds: number
  /** Decides the moment of every kill. */
  readonly seed: number
  /** Ends the leases of a dead process, instead of waiting until they run out. */
  readonly endLeases: boolean
  /** Called after each round. */
  readonly progress?: (round: number) => void
}

export interface KilledDeliveries {
  readonly rounds: number
  /** Kills between the acceptance of a mail and its record, as the mail system saw it. */
  readonly killsWhileSending: number
  /** Initiates with the answer 204. */
  readonly promised: number
  /** Stored issuances. They may be more, because kills cut off some answers. */
  readonly stored: number
  readonly mails: number
  /** Mails beyond the first of their issuance. */
  readonly duplicates: number
  /** Statements that more than one request or delivery shared. */
  readonly sharedStatements: number
  /** Challenges that were verified with the code of their mails. */
  readonly verified: number
  /** The violations. Empty if the service is correct. */
  readonly violations: readonly string[]
}

const JOURNEYS_AT_ONCE = 8
const JOURNEYS_EACH = 4
/** Half of the kills happen after so many mails of a round, while a mail is being sent. The others happen at a random time. */
const MAX_MAILS_TO_LIVE = 12
const MAX_MS_TO_LIVE = 400
/** Ends a round that never reaches its number of mails, because leases hold them back. */
const ROUND_TIMEOUT_IN_MS = 5000
/** The longest time until the answer to a mail, so that kills hit mails at every stage. */
const MAX_ANSWER_IN_MS = 20
/** Twice a lease. */
const DRAIN_TIMEOUT_IN_MS = 60_000

interface Journey {
  readonly userId: string
  readonly verifyPath: string
  promised: boolean
  verified: boolean
}

interface Kill {
  readonly afterMails?: number
  readonly afterMs?: number
}

interface IssuanceRow {
  readonly id: string
  readonly challenge_id: string
  readonly status: string
}

/**
 * Repeatedly kills the service with SIGKILL during initiates and deliveries, and starts it again. Then it lets the outbox run empty,
 * and compares the promised mails with those that arrived.
 */
export async function killDeliveries(plan: KilledDeliveriesPlan): Promise<KilledDeliveries> {
  const run = new ChaosRun(plan)
  try {
    return await run.execute()
  } finally {
    await run.close()
  }
}

class ChaosRun {
  readonly #plan: KilledDeliveriesPlan
  readonly #db: pg.Pool
  readonly #journeys = new Map<string, Journey>()
  readonly #arrivals: (Arrival & { readonly round: number })[] = []
  readonly #closers: (() => Promise<unknown>)[] = []
  #inbox!: CountingInbox
  #dataDir!: string
  #round = 0
  #mailsToLive = Number.POSITIVE_INFINITY
  #killsWhileSending = 0
  #sharedStatements = 0
  #strike = () => {}
  /** Resolves when the process of this round is dead. */
  #dead = Promise.withResolvers<void>()

  constructor(plan: KilledDeliveriesPlan) {
    this.#plan = plan
    this.#db = new pg.Pool({ connectionString: plan.databaseUrl })
    this.#closers.push(() => this.#db.end())
  }

  async execute(): Promise<KilledDeliveries> {
    const dataDir = await createDataDir()
    this.#closers.push(dataDir.remove)
    this.#dataDir = dataDir.path
    this.#inbox = await countingInbox((arrival) => this.#take(arrival))
    this.#closers.push(() => this.#inbox.close())

    for (this.#round = 1; this.#round <= this.#plan.rounds; this.#round++) {
      await this.#untilKilled(killOf(this.#plan.seed, this.#round))
      this.#plan.progress?.(this.#round)
    }
    const violations = await this.#drained()
    return this.#reconciled(violations)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close()
  }

  async #start(): Promise<{ readonly service: ServiceProcess; readonly watch: GroupWatch }> {
    const watch = await groupWatch()
    const service = await startProcess({
      DATABASE_URL: this.#plan.databaseUrl,
      DATA_DIR: this.#dataDir,
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: this.#inbox.url,
      OTP_LIFETIME_SECONDS: '600',
      LOG_LEVEL: 'warn',
      ...watch.env,
    })
    this.#closers.push(() => service.end('SIGKILL'))
    return { service, watch }
  }

  async #untilKilled({ afterMails, afterMs }: Kill): Promise<void> {
    const { service, watch } = await this.#start()
    await this.#verifySettled(service.url)

    const struck = Promise.withResolvers<void>()
    this.#strike = struck.resolve
    this.#dead = Promise.withResolvers<void>()
    this.#mailsToLive = afterMails ?? Number.POSITIVE_INFINITY
    // A request that the kill cuts off rejects, as intended.
    const walks = Promise.allSettled(
      Array.from({ length: JOURNEYS_AT_ONCE }, async () => {
        for (let count = 0; count < JOURNEYS_EACH; count++) await this.#walk(service.url)
      }),
    )
    await Promise.race([struck.promise, wait(afterMs ?? ROUND_TIMEOUT_IN_MS, undefined, { ref: false })])
    this.#sharedStatements += await watch.look()
    await service.end('SIGKILL')
    this.#mailsToLive = Number.POSITIVE_INFINITY
    this.#dead.resolve()
    await walks
    await this.#inbox.quiet()
    if (this.#plan.endLeases) {
      await this.#db.query("UPDATE otp_issuances SET next_attempt_at = now() WHERE status = 'queued'")
    }
  }

  async #walk(url: string): Promise<void> {
    const { userId, token } = await registerUser(url)
    const { id, initiate, verify } = await openChallenge(url, userId)
    const journey: Journey = { userId, verifyPath: verify, promised: false, verified: false }
    this.#journeys.set(id, journey)
    const { status } = await call(url, 'POST', initiate, { token })
    journey.promised = status === 204
  }

  /** The mail system's side of a delivery attempt. The mail that triggers the kill is answered after the process is dead. */
  async #take(arrival: Arrival): Promise<void> {
    this.#arrivals.push({ ...arrival, round: this.#round })
    this.#mailsToLive--
    if (this.#mailsToLive === 0) {
      this.#killsWhileSending++
      this.#strike()
      await this.#dead.promise
    } else {
      await wait(seededFraction(this.#plan.seed, arrival.issuanceId) * MAX_ANSWER_IN_MS)
    }
  }

  async #issuances(): Promise<readonly IssuanceRow[]> {
    return (await this.#db.query<IssuanceRow>('SELECT id, challenge_id, status FROM otp_issuances')).rows
  }

  /** Types the mailed codes after all deliveries: a challenge that is verified earlier would withhold a duplicate. */
  async #verifySettled(url: string): Promise<void> {
    for (const { id, challenge_id, status } of await this.#issuances()) {
      const journey = this.#journeys.get(challenge_id)
      const code = this.#arrivals.find(({ issuanceId }) => issuanceId === id)?.code
      if (status !== 'sent' || !journey || journey.verified || code === undefined) continue
      const token = await tokenOf(url, { sub: journey.userId })
      const reply = await call(url, 'POST', journey.verifyPath, { token, json: { totp: code } })
      journey.verified = reply.status === 204
    }
  }

  /** Runs a process until no mail is queued. */
  async #drained(): Promise<string[]> {
    const { service } = await this.#start()
    const giveUpAt = performance.now() + DRAIN_TIMEOUT_IN_MS
    const queued = async () => (await this.#issuances()).filter(({ status }) => status === 'queued')
    while ((await queued()).length > 0 && performance.now() < giveUpAt) await wait(100)
    await this.#verifySettled(service.url)
    const end = await service.end('SIGTERM')
    return end === 0 ? [] : [`the last process ended with ${end}: ${service.output()}`]
  }

  async #reconciled(violations: string[]): Promise<KilledDeliveries> {
    const issuances = await this.#issuances()
    const stored = new Map(issuances.map((issuance) => [issuance.challenge_id, issuance]))
    const mails = Map.groupBy(this.#arrivals, ({ issuanceId }) => issuanceId)
    const journeys = [...this.#journeys]

    for (const [challengeId, { promised }] of journeys) {
      if (promised && !stored.has(challengeId)) violations.push(`${challengeId}: promised, and not stored`)
    }
    for (const { id, challenge_id, status } of issuances) {
      const arrived = mails.get(id) ?? []
      const rounds = arrived.map(({ round }) => round)
      if (arrived.length === 0) violations.push(`${id}: no mail, and its delivery is ${status}`)
      if (status !== 'sent') violations.push(`${id}: its delivery ended as ${status}`)
      if (new Set(rounds).size < rounds.length) violations.push(`${id}: twice without a kill: ${rounds}`)
      if (new Set(arrived.map(({ code }) => code)).size > 1) violations.push(`${id}: two codes`)
      if (!this.#journeys.get(challenge_id)?.verified) violations.push(`${id}: its code does not verify`)
    }
    for (const id of mails.keys()) {
      if (!issuances.some((issuance) => issuance.id === id)) violations.push(`${id}: a mail of no issuance`)
    }
    if (this.#sharedStatements === 0) violations.push('no two requests shared a statement')
    return {
      rounds: this.#plan.rounds,
      killsWhileSending: this.#killsWhileSending,
      promised: journeys.filter(([, { promised }]) => promised).length,
      stored: issuances.length,
      mails: this.#arrivals.length,
      duplicates: this.#arrivals.length - mails.size,
      sharedStatements: this.#sharedStatements,
      verified: journeys.filter(([, { verified }]) => verified).length,
      violations,
    }
  }
}

function killOf(seed: number, round: number): Kill {
  const moment = seededFraction(seed, `moment ${round}`)
  return seededFraction(seed, `kind ${round}`) < 0.5
    ? { afterMails: 1 + Math.floor(moment * MAX_MAILS_TO_LIVE) }
    : { afterMs: Math.floor(moment * MAX_MS_TO_LIVE) }
}
