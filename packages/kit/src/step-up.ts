import { createHash } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { Summary, type SummaryLine } from './answers.ts'
import { type Authorisation, AuthorisationRefused, verifyAuthorisation } from './authorisation.ts'
import { type CountersignClient, methodsOf } from './client.ts'
import { CountersignError } from './countersign-error.ts'
import type { Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
import { operationDigest } from './operation-digest.ts'
import { protectedUrl } from './protected-url.ts'

/** The approval that a protected handler runs with. */
export interface StepUp {
  /** The id of the challenge, unique to this run. Store it in a unique column of the operation's own row: a second run then fails. */
  readonly challengeId: string
  /** The user who has approved the operation. */
  readonly subjectUserId: string
  /** The signed statement of the approval. Keep it with the operation; `verifyAuthorisation` checks it. */
  readonly authorisation: string
  /** When the user entered the right code. */
  readonly verifiedAt: Date
  /**
   * Says that nothing was done. The operation may then run again with this approval, whatever the handler answers or throws after this
   * call. Call it only if nothing happened, or all of it was rolled back.
   *
   * Without it, a handler that throws or answers 500 or more leaves an outcome that nobody knows: a repeat gets 409,
   * `OUTCOME_NOT_KNOWN`, and does not run.
   *
   * @throws {Error} if the answer is recorded already.
   */
  nothingDone(): void
}

/** What a request asks for, as your service describes it. */
export interface ProtectedOperation {
  /** The kind of operation, in your service's own terms, such as `payments.initiate`: at most 64 characters. */
  readonly type: string
  /**
   * Everything that decides what will be done, as JSON. A part that is missing here can be changed after the user has approved.
   * Write amounts as text.
   */
  readonly request: unknown
  /** What the user reads in the mail: 1 to 10 lines. A label has at most 40 UTF-16 code units, a value at most 200. */
  readonly summary: readonly SummaryLine[]
  /** How long the user has to approve: 1 to 86,400 seconds. Default: the lifetime that the service is configured with. */
  readonly expiresInSeconds?: number | undefined
}

/** How a route is protected. */
export interface StepUpOptions<Request> {
  /** Opens, inspects and consumes challenges. Its scopes: `mfa:challenges:create` and `mfa:challenges:consume`. */
  readonly client: Pick<
    CountersignClient,
    'openChallenge' | 'inspectChallenge' | 'consumeChallenge' | 'jwksUrl'
  >
  /** The client id of this service at its identity provider: the audience of its authorisations. */
  readonly clientId: string
  /** Returns the id of the user that your authentication found. For undefined the answer is 401, `UNAUTHORIZED`. */
  readonly subjectUserId: (request: Request) => string | undefined | Promise<string | undefined>
  /**
   * Returns the operation that the request asks for. Called for every request of a user, repeats included. If it throws or rejects,
   * the answer is 400, `OPERATION_NOT_VALID`, and `onRefused` gets what was thrown.
   */
  readonly operation: (request: Request) => ProtectedOperation | Promise<ProtectedOperation>
  /**
   * What makes the operation run once: `PostgresExecutions`, another store that all your processes share, or
   * `SingleProcessExecutions` for one process. With `in-the-handler`, the handler runs for every repeat of an approved call, and finds
   * by the challenge id what it did before.
   */
  readonly executions: ExecutionStore | 'in-the-handler'
  /** The keys of the service, or their URL: https, or http on this machine. Default: fetched from where the client finds the service. */
  readonly jwks?: URL | JSONWebKeySet
  /**
   * Called for logging, with each answer but 401 `STEP_UP_REQUIRED`. The app does not get the `cause`. If it throws, the process gets
   * a warning, and the app its answer.
   */
  readonly onRefused?: (refusal: StepUpRefusal) => void
  /**
   * Called if the operation ran, but its answer could not be read or stored. A repeat gets `OUTCOME_NOT_KNOWN`, or at first
   * `OPERATION_UNDER_WAY`. May throw, like `onRefused`.
   */
  readonly onNotRecorded?: (challengeId: string, cause: unknown) => void
}

/** Why a request did not run its operation. */
export interface StepUpRefusal {
  /** The code that the app got. `requireStepUp` lists them all. */
  readonly code: RefusalCode
  /** The user who called; undefined for nobody. */
  readonly subjectUserId: string | undefined
  /** What the request sent in the header `plmr-mfa-challenge-id`, not checked. */
  readonly challengeId: string | undefined
  /** What was thrown, often a `CountersignError`. */
  readonly cause?: unknown
}

/** A code of an answer in place of the operation. `requireStepUp` says what each means. */
export type RefusalCode = keyof typeof REFUSALS

/** What is answered instead of running the operation, or running it again. */
interface StepUpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

export type StepUpDecision =
  | { readonly decision: 'answer'; readonly answer: StepUpAnswer }
  | { readonly decision: 'run'; readonly stepUp: StepUp; readonly running: Running }

/** A run that has begun. The first of these calls ends it, and later ones change nothing. None of them rejects. */
export interface Running {
  /** The handler has answered. */
  finish(response: StoredResponse): Promise<void>
  /** The handler failed without an answer. */
  fail(): Promise<void>
  /** The handler has answered, but its answer cannot be read. */
  lose(cause: unknown): Promise<void>
}

const REFUSALS = {
  OPERATION_NOT_VALID: { status: 400, message: 'The operation cannot be countersigned as it is' },
  CHALLENGE_REFERENCE_NOT_VALID: { status: 400, message: 'Challenge id and signature belong together' },
  UNAUTHORIZED: { status: 401, message: 'A user has to be signed in' },
  OPERATION_DOES_NOT_MATCH_CHALLENGE: {
    status: 403,
    message: 'What was countersigned is not what was asked for now',
  },
  SUBJECT_DOES_NOT_MATCH_CHALLENGE: { status: 403, message: 'The challenge is about another user' },
  CHALLENGE_ALREADY_CONSUMED: { status: 409, message: 'The approval was used elsewhere' },
  OPERATION_UNDER_WAY: { status: 409, message: 'The operation is being carried out' },
  OUTCOME_NOT_KNOWN: { status: 409, message: 'The operation may have been carried out before' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'The idempotency key was used with another request',
  },
  STEP_UP_UNAVAILABLE: { status: 503, message: 'Countersigning is not possible for the moment' },
} as const satisfies Record<string, { status: number; message: string }>

const CHALLENGE_ID_HEADER = 'plmr-mfa-challenge-id'
const SIGNATURE_HEADER = 'plmr-mfa-signature'
/** In either case: Swift, for one, writes UUIDs in upper case. */
const CHALLENGE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const RETRY_AFTER_IN_SECONDS = 5
/** Below 500, these too say that somebody stopped waiting for the handler, and not what it did: a time-out, a caller who left. */
const NO_OUTCOME: readonly number[] = [408, 499]
/** One call does not end with so many challenges, each over before it is looked at. */
const MAX_REPLACEMENTS = 3

/** A call of the user's app, as far as step-up is concerned. */
interface Call {
  readonly subjectUserId: string
  readonly operation: ProtectedOperation
  readonly digest: string
  readonly idempotencyKey: string | undefined
}

interface Reference {
  readonly challengeId: string
  readonly signature: string
}

/** What a JavaScript function may have returned instead of a `ProtectedOperation`. The limits are for the service to know. */
const Described = z.object({
  type: z.string(),
  summary: Summary,
  expiresInSeconds: z.number().optional(),
})

class Refused extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, cause?: unknown) {
    super(code, { cause })
    this.code = code
  }
}

/** Decides whether a request may run its operation. Knows no framework. */
export class StepUpGate<Request> {
  readonly #options: StepUpOptions<Request>

  /** @throws {TypeError} if the URL of the keys is plain HTTP to another machine. */
  constructor(options: StepUpOptions<Request>) {
    if (options.jwks instanceof URL) protectedUrl(options.jwks, 'jwks')
    this.#options = options
  }

  /** @throws what `subjectUserId` throws, and nothing else: in doubt the operation does not run. */
  async decide(request: Request, header: (name: string) => string | undefined): Promise<StepUpDecision> {
    const subjectUserId = await this.#options.subjectUserId(request)
    try {
      if (!subjectUserId) throw new Refused('UNAUTHORIZED')
      const idempotencyKey = header('plmr-idempotency-key') ?? header('idempotency-key')
      const call = { subjectUserId, ...(await this.#operationOf(request)), idempotencyKey }
      const reference = referenceIn(header)
      return reference ? await this.#redeem(call, reference) : await this.#demand(call)
    } catch (error) {
      return this.#refuse(error, subjectUserId, header(CHALLENGE_ID_HEADER))
    }
  }

  /**
   * A request that the integrator did not expect, such as one without a body, makes the function throw, or return something else.
   *
   * @throws {Refused}
   */
  async #operationOf(request: Request): Promise<Pick<Call, 'operation' | 'digest'>> {
    try {
      const returned = await this.#options.operation(request)
      const operation = { ...Described.parse(returned), request: returned.request }
      return { operation, digest: operationDigest(operation) }
    } catch (cause) {
      throw new Refused('OPERATION_NOT_VALID', cause ?? new Error(`The function operation threw ${cause}`))
    }
  }

  /** @param replaced the challenge that is over, if there was one. */
  async #demand(call: Call, replaced?: string): Promise<StepUpDecision> {
    const { client, executions } = this.#options
    const { subjectUserId, operation, digest } = call
    const { type, summary, expiresInSeconds } = operation
    const demand = {
      subjectUserId,
      operation: { type, digest, summary },
      ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    }
    let before = replaced
    for (let replacement = 0; replacement <= MAX_REPLACEMENTS; replacement++) {
      const opened = await client.openChallenge(demand, keyOf(call, before))
      if (opened.created && executions !== 'in-the-handler') {
        await executions.beforeConsumption?.(opened.challengeId, async () => false)
      }
      if (opened.created || !(await this.#isOver(opened.challengeId))) return stepUpRequired(opened)
      before = opened.challengeId
    }
    throw new Refused('STEP_UP_UNAVAILABLE')
  }

  async #isOver(challengeId: string): Promise<boolean> {
    const { status } = await this.#options.client.inspectChallenge(challengeId)
    return status === 'expired' || status === 'exhausted' || status === 'cancelled'
  }

  async #isConsumed(challengeId: string): Promise<boolean> {
    return (await this.#options.client.inspectChallenge(challengeId)).status === 'consumed'
  }

  async #redeem(call: Call, reference: Reference): Promise<StepUpDecision> {
    const { client, executions } = this.#options
    const { challengeId, signature } = reference
    try {
      if (executions !== 'in-the-handler') {
        await executions.beforeConsumption?.(challengeId, () => this.#isConsumed(challengeId))
      }
      const consumed = await client.consumeChallenge(challengeId, { signature, digest: call.digest })
      const authorised = await this.#authorised(consumed, call)
      if (authorised.subjectUserId !== call.subjectUserId || consumed.subjectUserId !== call.subjectUserId) {
        throw new Refused('SUBJECT_DOES_NOT_MATCH_CHALLENGE')
      }
      if (authorised.challengeId !== challengeId || consumed.challengeId !== challengeId) {
        throw new Refused('STEP_UP_UNAVAILABLE', new AuthorisationRefused('It is about another challenge'))
      }
      const { subjectUserId, authorisation } = consumed
      const verifiedAt = new Date(consumed.verifiedAt)
      return await this.#run(
        { challengeId, subjectUserId, authorisation, verifiedAt },
        { challengeId, digest: call.digest, consumedAt: new Date(consumed.consumedAt) },
      )
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      switch (error.code) {
        case 'CHALLENGE_NOT_VERIFIED':
          return await this.#remind(call, reference)
        case 'CHALLENGE_NOT_FOUND':
        case 'CHALLENGE_EXPIRED':
        case 'CHALLENGE_EXHAUSTED':
        case 'CHALLENGE_CANCELLED':
          return await this.#demand(call, challengeId)
        // The key of the consumption is ours alone, so it is the request that has changed since.
        case 'IDEMPOTENCY_KEY_REUSED':
        case 'OPERATION_DOES_NOT_MATCH_CHALLENGE':
          throw new Refused('OPERATION_DOES_NOT_MATCH_CHALLENGE', error)
        case 'CHALLENGE_ALREADY_CONSUMED':
          throw new Refused('CHALLENGE_ALREADY_CONSUMED', error)
        default:
          throw error
      }
    }
  }

  /**
   * Judged by the time of the consumption: whether a repeat comes too late is for the execution store to say, which knows what ran.
   *
   * @throws {Refused} if the authorisation was not signed by the service.
   */
  async #authorised(
    { authorisation, consumedAt }: { readonly authorisation: string; readonly consumedAt: string },
    { digest }: Call,
  ): Promise<Authorisation> {
    const { client, clientId: audience, jwks = client.jwksUrl } = this.#options
    try {
      // The client has been asked to call the service there: its maker knows the network.
      const expected = { jwks, audience, digest, at: new Date(consumedAt), allowPlainHttp: true }
      return await verifyAuthorisation(authorisation, expected)
    } catch (error) {
      throw new Refused('STEP_UP_UNAVAILABLE', error)
    }
  }

  async #remind({ subjectUserId }: Call, { challengeId, signature }: Reference): Promise<StepUpDecision> {
    const challenge = await this.#options.client.inspectChallenge(challengeId)
    if (challenge.subjectUserId !== subjectUserId) throw new Refused('SUBJECT_DOES_NOT_MATCH_CHALLENGE')
    const { expiresAt } = challenge
    return stepUpRequired({ challengeId, signature, expiresAt, methods: methodsOf(challengeId) })
  }

  async #run(approval: Omit<StepUp, 'nothingDone'>, execution: Execution): Promise<StepUpDecision> {
    const { executions } = this.#options
    if (executions === 'in-the-handler') {
      return { decision: 'run', stepUp: { ...approval, nothingDone: () => {} }, running: UNRECORDED }
    }

    const beginning = await executions.begin(execution)
    switch (beginning.state) {
      case 'run':
        return { decision: 'run', ...this.#recorded(executions, approval, beginning.run) }
      case 'finished': {
        const { status, headers, body } = beginning.response
        return { decision: 'answer', answer: { status, headers, body: Buffer.from(body, 'base64') } }
      }
      case 'under-way':
        throw new Refused('OPERATION_UNDER_WAY')
      case 'not-known':
        throw new Refused('OUTCOME_NOT_KNOWN')
    }
  }

  /** The run of an approval. What it did is known only if the handler says so, by its answer or by `nothingDone`. */
  #recorded(
    executions: ExecutionStore,
    approval: Omit<StepUp, 'nothingDone'>,
    run: string | undefined,
  ): { readonly stepUp: StepUp; readonly running: Running } {
    const { challengeId } = approval
    const notRecorded = (cause: unknown) => tell(() => this.#options.onNotRecorded?.(challengeId, cause))
    let nothingDone = false
    let hasEnded = false

    const end = async (response?: StoredResponse) => {
      if (hasEnded) return
      hasEnded = true
      try {
        if (nothingDone) await executions.abandon(challengeId, run)
        else if (response && isOutcome(response)) await executions.finish(challengeId, response, run)
        else await executions.markNotKnown(challengeId, run)
      } catch (cause) {
        notRecorded(cause)
      }
    }
    return {
      stepUp: {
        ...approval,
        nothingDone() {
          if (hasEnded) throw new Error('The answer is recorded already')
          nothingDone = true
        },
      },
      running: {
        finish: end,
        fail: () => end(),
        lose: async (cause) => {
          if (hasEnded) return
          notRecorded(cause)
          await end()
        },
      },
    }
  }

  #refuse(
    error: unknown,
    subjectUserId: string | undefined,
    challengeId: string | undefined,
  ): StepUpDecision {
    const code = codeOf(error)
    const cause = error instanceof Refused ? error.cause : error
    const refusal = { code, subjectUserId, challengeId, ...(cause !== undefined && { cause }) }
    tell(() => this.#options.onRefused?.(refusal))

    const { status, message } = REFUSALS[code]
    const retryAfter = error instanceof CountersignError ? error.retryAfterInSeconds : undefined
    return answer(
      status,
      { code, message },
      {
        ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
        ...(status === 503 && { 'Retry-After': String(retryAfter ?? RETRY_AFTER_IN_SECONDS) }),
        ...(code === 'OPERATION_UNDER_WAY' && { 'Retry-After': '1' }),
      },
    )
  }
}

/** Calls back for logging. A log that fails, at once or later, changes no answer: it becomes a warning of the process. */
async function tell(callback: () => unknown): Promise<void> {
  try {
    await callback()
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error))
  }
}

/**
 * Whether an answer says what the handler did. A refusal (4xx) does, and the app gets it again. It does not say that nothing was done:
 * the handler may have passed on the refusal of a later step.
 */
function isOutcome({ status }: StoredResponse): boolean {
  return status < 500 && !NO_OUTCOME.includes(status)
}

/** What was thrown on the way to the operation, in terms of the user's app. What is not known to be harmless is an outage. */
function codeOf(error: unknown): RefusalCode {
  if (error instanceof Refused) return error.code
  if (!(error instanceof CountersignError)) return 'STEP_UP_UNAVAILABLE'
  if (error.code === 'BAD_REQUEST' && error.status === 400) return 'OPERATION_NOT_VALID'
  if (error.code === 'IDEMPOTENCY_KEY_REUSED') return 'IDEMPOTENCY_KEY_REUSED'
  return 'STEP_UP_UNAVAILABLE'
}

/** @throws {Refused} for one without the other, or what neither can be. */
function referenceIn(header: (name: string) => string | undefined): Reference | undefined {
  const challengeId = header(CHALLENGE_ID_HEADER)
  const signature = header(SIGNATURE_HEADER)
  if (challengeId === undefined && signature === undefined) return undefined
  if (!CHALLENGE_ID.test(challengeId ?? '') || !COMPACT_JWS.test(signature ?? '')) {
    throw new Refused('CHALLENGE_REFERENCE_NOT_VALID')
  }
  return { challengeId: challengeId!.toLowerCase(), signature: signature! }
}

/**
 * Users choose their keys without knowing of each other's, so each has a space of its own; and what replaces a challenge is another
 * call than the one that opened it.
 */
function keyOf(
  { subjectUserId, idempotencyKey }: Call,
  replaced: string | undefined,
): { readonly idempotencyKey?: string } {
  if (idempotencyKey === undefined) return {}
  const parts = JSON.stringify([subjectUserId, idempotencyKey, replaced ?? null])
  return { idempotencyKey: `step-up:${createHash('sha256').update(parts).digest('base64url')}` }
}

interface Required extends Reference {
  readonly expiresAt: string
  readonly methods: readonly object[]
}

/** RFC 9470 §3, with what the user's app needs to go on. */
function stepUpRequired({ challengeId, signature, expiresAt, methods }: Required): StepUpDecision {
  const message = 'This operation has to be countersigned by its user'
  return answer(
    401,
    { code: 'STEP_UP_REQUIRED', message, challengeId, signature, expiresAt, methods },
    {
      [CHALLENGE_ID_HEADER]: challengeId,
      [SIGNATURE_HEADER]: signature,
      'WWW-Authenticate': `Bearer error="insufficient_user_authentication", error_description="${message}"`,
    },
  )
}

function answer(status: number, body: object, headers: Record<string, string>): StepUpDecision {
  return {
    decision: 'answer',
    answer: {
      status,
      headers: { ...headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
    },
  }
}

const UNRECORDED: Running = { finish: async () => {}, fail: async () => {}, lose: async () => {} }

const stepUps = new WeakMap<object, StepUp>()

/** Keeps the approval of a request for its handler. */
export function rememberStepUp(request: object, stepUp: StepUp): void {
  stepUps.set(request, stepUp)
}

/**
 * The approval that a request runs with.
 *
 * @throws {Error} if no `requireStepUp` runs before the handler, because then nobody has approved anything.
 */
export function stepUpOf(request: object): StepUp {
  const stepUp = stepUps.get(request)
  if (!stepUp) throw new Error('This route is not protected by requireStepUp')
  return stepUp
}
