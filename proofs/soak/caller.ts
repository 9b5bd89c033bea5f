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
  /** The process that gets it first. Random if left out. */
  readonly instance?: number
}

/** Long enough for the restart of a process on a busy machine, and for a stopped database. */
const PATIENCE_IN_MS = 90_000
const PAUSE_IN_MS = 150
/** The reconciliation needs more than the status of these answers. */
const STEPS_WITH_BODIES: readonly Step[] = ['open', 'consume', 'inspect']

/** A walk cannot go on. The ledger contains the reason. */
export class CutShort extends Error {}

/** Sends requests to two processes as a balancer does: to either, or to the other if it does not listen. Records each in the ledger. */
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

  /** Sends it once. @throws {CutShort} if no process listens for a long time. */
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
   * Sends it until it is answered, which is always allowed. Reports an answer that is not in `expected`, or after a repeat neither in
   * `expected` nor in `again`. @throws {CutShort} without an answer.
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

  /** Undefined if no process listens there. Then nothing was sent. */
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
      // An undocumented answer is a fault of the service, not of the network.
      if (failure.includes('openapi')) this.#ledger.complain(failure)
      const none = { status: undefined, code: undefined, body: undefined }
      const ended: Call = { ...sent, endedAt: Date.now(), ...none, failure }
      this.#ledger.note(ended)
      return ended
    }
  }
}
