import fc from 'fast-check'
import { ApiDocument } from '../../test/support/api-document.ts'
import { almostRightRequests } from './almost-right-requests.ts'
import { forgeTokens } from './forged-tokens.ts'
import { type FuzzedService, startFuzzedService, type Vitals } from './fuzzed-service.ts'
import { growth } from './growth.ts'
import { hostileRequests } from './hostile-requests.ts'
import { faultsOf, type Secrets, standsIn } from './judge.ts'
import { Palette } from './palette.ts'
import { bytesOf, type FuzzRequest, shown } from './request.ts'
import { rightRequests } from './right-requests.ts'
import { brokenRules, type Play, plays } from './sequences.ts'
import { Wire } from './wire.ts'
import { type Ask, hireServices, makeWorld, type Services, type World } from './world.ts'

export interface FuzzPlan {
  /** An empty database with all migrations. */
  readonly databaseUrl: string
  /** The minimum number of requests, without those that set the stage. */
  readonly requests: number
  /** Decides the requests, but not the order in which the service handles simultaneous ones. */
  readonly seed: number
  /** Only this round. Undefined means all rounds. */
  readonly round?: number | undefined
  readonly progress?: (round: number, requests: number) => void
}

export interface FuzzOutcome {
  /** The violations, each with how to reproduce it. Empty if the service is correct. */
  readonly findings: readonly string[]
  readonly requests: number
  readonly plays: number
  readonly seconds: number
  readonly byKind: ReadonlyMap<string, number>
  readonly byOperation: ReadonlyMap<string, number>
  readonly byStatus: ReadonlyMap<string, number>
  /** What the service kept in use after the first third, and at the end. Undefined if the campaign ended before. */
  readonly warm: Vitals | undefined
  readonly end: Vitals | undefined
}

/** Simultaneous requests. */
const BURST = 10
const BURSTS_A_ROUND = 40
const PLAYS_A_ROUND = 6
/** How long to search for the smallest request that shows the same fault. */
const MAX_SHRINKING_IN_MS = 20_000

/** Sends all kinds of requests to a service of its own, and reports wrong answers. */
export async function fuzz(plan: FuzzPlan): Promise<FuzzOutcome> {
  const service = await startFuzzedService(plan.databaseUrl)
  try {
    return await new Campaign(plan, service).execute()
  } finally {
    await service.stop()
  }
}

class Campaign {
  readonly #plan: FuzzPlan
  readonly #service: FuzzedService
  readonly #api = ApiDocument.read()
  readonly #palette: Palette
  readonly #wire: Wire
  readonly #findings: string[] = []
  readonly #byKind = new Map<string, number>()
  readonly #byOperation = new Map<string, number>()
  readonly #byStatus = new Map<string, number>()
  #requests = 0
  #plays = 0
  #secrets: Secrets = { addresses: [], codes: [], keys: [] }
  /** How much of the log is checked. */
  #logRead = 0

  constructor(plan: FuzzPlan, service: FuzzedService) {
    this.#plan = plan
    this.#service = service
    this.#palette = new Palette(this.#api, plan.seed)
    this.#wire = new Wire(service.port)
  }

  async execute(): Promise<FuzzOutcome> {
    const beganAt = performance.now()
    const atRest = (await this.#service.vitals()).openFiles
    const vitals = () => {
      this.#wire.close()
      return this.#service.vitals(atRest)
    }
    const stage = this.#asker(() => {})
    const services = await hireServices(stage)
    const forged = await forgeTokens(this.#service.keys)
    let warm: Vitals | undefined
    let end: Vitals | undefined
    let madeUntilWarm = 0

    for (let round = this.#plan.round ?? 1; this.#findings.length === 0; round++) {
      try {
        const world = await makeWorld(stage, this.#service.mailFolder, services)
        this.#secrets = this.#secretsOf(world)
        await this.#bursts(round, this.#requestsOf(world, forged))
        if (this.#findings.length === 0) await this.#playAll(round, services)
        this.#readLog(round)
      } catch (error) {
        this.#findings.push(`the stage of round ${round} could not be set: ${error}`)
      }
      this.#plan.progress?.(round, this.#requests)
      if (this.#plan.round !== undefined || this.#requests >= this.#plan.requests) break
      if (!warm && this.#findings.length === 0 && this.#requests >= this.#plan.requests / 3) {
        warm = await vitals()
        madeUntilWarm = this.#requests
      }
    }
    if (this.#findings.length === 0 && warm) {
      end = await vitals()
      this.#findings.push(...growth(warm, end, atRest, this.#requests - madeUntilWarm))
    }
    this.#wire.close()
    return {
      findings: this.#findings,
      requests: this.#requests,
      plays: this.#plays,
      seconds: (performance.now() - beganAt) / 1000,
      ...{ byKind: this.#byKind, byOperation: this.#byOperation, byStatus: this.#byStatus },
      ...{ warm, end },
    }
  }

  #requestsOf(world: World, forged: Awaited<ReturnType<typeof forgeTokens>>): fc.Arbitrary<FuzzRequest> {
    return fc.oneof(
      { weight: 4, arbitrary: rightRequests(this.#palette, world) },
      { weight: 4, arbitrary: almostRightRequests(this.#palette, world, forged) },
      { weight: 2, arbitrary: hostileRequests(this.#palette, world) },
    )
  }

  async #bursts(round: number, requests: fc.Arbitrary<FuzzRequest>): Promise<void> {
    const bursts = fc.array(requests, { minLength: 1, maxLength: BURST, size: 'max' })
    await this.#hold(round, bursts, BURSTS_A_ROUND, async (burst) => {
      const outcomes = await Promise.allSettled(burst.map((request) => this.#make(request)))
      const failed = outcomes.findIndex(({ status }) => status === 'rejected')
      return failed < 0
        ? undefined
        : `${(outcomes[failed] as PromiseRejectedResult).reason}\n  ${shown(burst[failed]!)}`
    })
  }

  async #playAll(round: number, services: Services): Promise<void> {
    const stage = this.#asker(() => {})
    const ask = this.#asker((request, status) => this.#count({ ...request, kind: 'sequence' }, status))
    await this.#hold(round, plays, PLAYS_A_ROUND, async (play) => {
      this.#plays++
      try {
        const broken = await brokenRules(stage, ask, services, play)
        return broken.length === 0 ? undefined : `${broken.join('; ')}\n  ${shownPlay(play)}`
      } catch (error) {
        return `${error}\n  ${shownPlay(play)}`
      }
    })
  }

  /** Tries all values of a round, and reports the first fault in its smallest form. */
  async #hold<Value>(
    round: number,
    values: fc.Arbitrary<Value>,
    numRuns: number,
    faultOf: (value: Value) => Promise<string | undefined>,
  ): Promise<void> {
    let smallest: string | undefined
    let shrinkUntil = Number.POSITIVE_INFINITY
    await fc.check(
      fc.asyncProperty(values, async (value) => {
        // Without time left, stop searching for smaller requests.
        if (performance.now() > shrinkUntil) return true
        const fault = await faultOf(value)
        if (fault === undefined) return true
        if (smallest === undefined) shrinkUntil = performance.now() + MAX_SHRINKING_IN_MS
        smallest = fault
        return false
      }),
      { seed: this.#plan.seed + round, numRuns },
    )
    if (smallest === undefined) return
    this.#findings.push(
      [
        smallest,
        `  again: npm run fuzz -- --seed ${this.#plan.seed} --round ${round}`,
        ...(this.#ended() ? [`  the service ended: ${this.#service.process.output().slice(-2000)}`] : []),
      ].join('\n'),
    )
  }

  #ended(): boolean {
    return this.#service.process.process.exitCode !== null
  }

  /** Makes one request. @throws {Error} if it gets an answer that is not allowed. */
  async #make(request: FuzzRequest): Promise<void> {
    const bytes = bytesOf(request)
    const answers =
      request.bytes === undefined
        ? [await this.#wire.ask(bytes, request.method)]
        : await this.#wire.provoke(bytes, request.method)
    this.#count(request, answers[0]?.status)
    // What is no request may have none, and what is several may have several: each on its own, and the last to what came last.
    for (const [index, answer] of answers.entries()) {
      const of = index === 0 ? request : { ...NEXT, method: request.method, target: request.target }
      const alternatives = index === 0 ? [of] : [NEXT, of]
      const verdicts = alternatives.map((each) => faultsOf(this.#api, each, answer, this.#secrets))
      if (verdicts.some((faults) => faults.length === 0)) continue
      throw new Error(`${answer.status}: ${verdicts[0]!.join('; ')}\n  ${answer.body.slice(0, 500)}`)
    }
  }

  /** Makes requests that belong together, and logs each. */
  #asker(tell: (request: FuzzRequest, status: number) => void): Ask {
    return async (method, path, { token, json, headers = {} } = {}) => {
      const request: FuzzRequest = {
        ...{ kind: 'almost right', wrong: 'nothing', method, target: path, chunked: false },
        headers: [
          ...(token === undefined ? [] : ([['Authorization', `Bearer ${token}`]] as const)),
          ...(json === undefined ? [] : ([['Content-Type', 'application/json']] as const)),
          ...Object.entries(headers),
        ],
        body: json === undefined ? undefined : Buffer.from(JSON.stringify(json)),
      }
      const answer = await this.#wire.ask(bytesOf(request), method)
      tell(request, answer.status)
      const faults = faultsOf(this.#api, request, answer, this.#secrets)
      if (faults.length === 0) return answer
      throw new Error(
        `${answer.status}: ${faults.join('; ')}\n  ${shown(request)}\n  ${answer.body.slice(0, 500)}`,
      )
    }
  }

  #count(
    { kind, method, target }: Pick<FuzzRequest, 'method' | 'target'> & { kind: string },
    status?: number,
  ): void {
    this.#requests++
    const operation = this.#api.operationOf({ method, path: target })?.operationId ?? '(none)'
    for (const [tally, key] of [
      [this.#byKind, kind],
      [this.#byOperation, operation],
      [this.#byStatus, String(status ?? 'closed')],
    ] as const) {
      tally.set(key, (tally.get(key) ?? 0) + 1)
    }
  }

  #secretsOf({ people, scenes, services }: World): Secrets {
    const { otpKey, signingKey, issuerKey } = this.#service.keys
    const tokens = [...people.map(({ token }) => token), ...Object.values(services)]
    return {
      addresses: people.map(({ address }) => address.split('@')[0]!),
      codes: scenes.flatMap(({ code }) => code ?? []),
      keys: [
        ...[otpKey, signingKey, issuerKey.d, this.#service.webhookAuth.split(':')[1]!],
        ...tokens.map((token) => token.slice(-40)),
      ],
    }
  }

  /** Asserts that the log contains no secret and no fault. */
  #readLog(round: number): void {
    const log = this.#service.process.output().slice(this.#logRead)
    this.#logRead += log.length
    const { addresses, codes, keys } = this.#secrets
    const told = [
      ...[...addresses, ...keys].filter((secret) => log.includes(secret)),
      ...codes.filter((code) => standsIn(log, code)),
    ]
    if (told.length > 0) this.#findings.push(`round ${round}: the log holds ${told.length} secrets`)
    const fault = /^.*\b(?:ERROR|FATAL)\b.*$/m.exec(log)
    if (fault)
      this.#findings.push(
        `round ${round}: the log tells of a fault: ${log.slice(fault.index, fault.index + 1500)}`,
      )
  }
}

/** The requests that may follow on a connection: see `hostile-requests.ts`. */
const NEXT: FuzzRequest = {
  ...{
    kind: 'hostile',
    wrong: 'nothing',
    method: 'GET',
    target: '/healthz',
    chunked: false,
    body: undefined,
  },
  ...{ headers: [], bytes: '' },
}

function shownPlay({ from, actors }: Play): string {
  return [
    `on a challenge that is ${from}, at once:`,
    ...actors.map((steps) => `    ${steps.map((step) => Object.values(step).join(' ')).join(' → ')}`),
  ].join('\n')
}
