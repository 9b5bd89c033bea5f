import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
} from 'cockatiel'
import type { Logger } from 'pino'
import {
  type MailMessage,
  type MailReceipt,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../../application/ports/mail-transport.ts'

export interface GuardOptions {
  /** So many mails in a row that it did not take, and it rests. */
  readonly failuresToOpen: number
  /** How long it rests before one mail tries it again. */
  readonly restInMs: number
}

/** A transport that is left alone for a while once it fails mail after mail. */
export class GuardedTransport implements MailTransport {
  readonly name: string
  readonly #transport: MailTransport
  readonly #breaker: CircuitBreakerPolicy

  constructor(
    name: string,
    transport: MailTransport,
    logger: Logger,
    { failuresToOpen, restInMs }: GuardOptions,
  ) {
    this.name = name
    this.#transport = transport
    this.#breaker = circuitBreaker(handleType(MailUnavailable), {
      breaker: new ConsecutiveBreaker(failuresToOpen),
      halfOpenAfter: restInMs,
    })
    this.#breaker.onBreak((reason) => {
      const err = 'error' in reason ? reason.error : undefined
      logger.warn({ transport: name, restInMs, err }, 'mail transport rests')
    })
    this.#breaker.onReset(() => logger.info({ transport: name }, 'mail transport works again'))
  }

  /** @throws {MailUnavailable} at once while it rests, or another mail is trying it. */
  async send(message: MailMessage): Promise<MailReceipt> {
    // The breaker would have it wait for the mail that is on trial, whose time is not this one's to spend.
    if (this.#breaker.state === CircuitState.HalfOpen) throw resting()
    const answer = await this.#breaker
      .execute(() => this.#answer(message))
      .catch((error: unknown) => {
        throw error instanceof BrokenCircuitError ? resting() : error
      })
    if (answer instanceof MailRefused) throw answer
    return answer
  }

  async close(): Promise<void> {
    await this.#transport.close()
  }

  /** A refusal is an answer of a transport that works, and to the breaker a success. */
  async #answer(message: MailMessage): Promise<MailReceipt | MailRefused> {
    try {
      return await this.#transport.send(message)
    } catch (error) {
      if (error instanceof MailRefused) return error
      throw error
    }
  }
}

function resting(): MailUnavailable {
  return new MailUnavailable('rests after too many failures')
}
