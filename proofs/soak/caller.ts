import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type CallInit, call } from '../../test/support/http-call.ts'
import { inTime } from '../faults/troubled-service.ts'
import type { Dice } from './dice.ts'
import { type Call, isOutcomeUnknown, type Ledger, type Step } from './ledger.ts'

export interface Request extends CallInit {
  readonly step: Step
  readonly about?: string
  readonly said?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path: string
  /** Which process gets it first; by chance if left out. */
  readonly instance?: number
}

/** Long enough for a process to be started again on a busy machine, and for a database that stands still. */
const PATIENCE_IN_MS = 90_000
const PAUSE_IN_MS = 150
/** Of these answers the reconciliation has to know more than the status. */
const STEPS_WITH_BODIES: readonly Step[] = ['open', 'consume', 'inspect']

/** What a walk was to do next came to nothing, which the ledger knows. */
export class CutShort extends Error {}

/** Sends requests to two processes as a balancer does: to either, and to the other where nobody listens. Each stands in the ledger. */
export class Caller {
  readonly #urls: readonly [string, string]
  readonly #ledger: Ledger
  readonly #dice: Dice

  constructor(urls: readonly [string, string], ledger: Ledger, dice: Dice) {
    this.#urls = urls
    this.#ledger = ledger
    this.#dice = dice
  }

  urlOf(instance: number): string {
    return this.#urls[instance]!
  }

  /** Sends it once. @throws {CutShort} if for a long time nobody listens. */
  async once(request: Request): Promise<Call> {
    const giveUpAt = performance.now() + PATIENCE_IN_MS
    for (let instance = request.instance ?? this.#dice.whole(0, 1); ; instance = 1 - instance) {
      const ended = await this.#attempt(request, instance)
      if (ended) return ended
      if (performance.now() > giveUpAt) {
        this.#ledger.complain(`nobody listens for ${request.step}`)
        throw new CutShort()
      }
      await wait(PAUSE_IN_MS)
    }
  }

  /**
   * Sends it until it is answered, which is always right, and complains of an answer that is not among `expected`; of a repeated
   * one that is not among `again` either. @throws {CutShort} if no answer is to be had.
   */
  async answered(
    request: Request,
    expected: readonly number[],
    again: readonly number[] = [],
  ): Promise<Call & { readonly status: number }> {
    const giveUpAt = performance.now() + PATIENCE_IN_MS
    for (let repeated = false; ; repeated = true) {
      const ended = await this.once(request)
      if (ended.status !== undefined && !isOutcomeUnknown(ended)) {
        if (!expected.includes(ended.status) && !(repeated && again.includes(ended.status))) {
          this.#ledger.complain(
            `${request.step} ${request.about ?? request.path} (${ended.requestId}) was answered ${ended.status} ${ended.code}, not ${expected}`,
          )
        }
        return ended as Call & { readonly status: number }
      }
      if (performance.now() > giveUpAt) {
        this.#ledger.complain(`${request.step} was never answered: ${ended.status} ${ended.failure}`)
        throw new CutShort()
      }
      await wait(PAUSE_IN_MS)
    }
  }

  /** Undefined if nobody listens there: nothing was sent. */
  async #attempt(
    { step, about = '', said = {}, method = 'POST', path, headers, ...init }: Request,
    instance: number,
  ): Promise<Call | undefined> {
    const requestId = randomUUID()
    const sentAt = Date.now()
    const sent = { requestId, step, about, said, instance, sentAt }
    try {
      const { status, body } = await inTime(
        call(this.#urls[instance]!, method, path, {
          ...init,
          headers: { ...headers, 'X-Request-ID': requestId },
        }),
      )
      const ended: Call = {
        ...sent,
        endedAt: Date.now(),
        status,
        code: status >= 400 ? String(body?.code).replace(/^.*:/, '') : undefined,
        body: STEPS_WITH_BODIES.includes(step) && status < 300 ? body : undefined,
        failure: undefined,
      }
      this.#ledger.note(ended)
      return ended
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
      if (code === 'ECONNREFUSED') return undefined
      const failure = code ?? String(error)
      // What the service says without having documented it is no accident of the way.
      if (failure.includes('openapi')) this.#ledger.complain(failure)
      const none = { status: undefined, code: undefined, body: undefined }
      const ended: Call = { ...sent, endedAt: Date.now(), ...none, failure }
      this.#ledger.note(ended)
      return ended
    }
  }
}
