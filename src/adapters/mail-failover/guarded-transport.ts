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
  /** The transport rests after it has failed to accept this many mails in a row. */
  readonly failuresToOpen: number
  /** How long it rests before one mail tries it again. */
  readonly restInMs: number
}

/** Stops using a transport for a while after it has failed several mails in a row (a circuit breaker). */
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

  /** @throws {MailUnavailable} at once while the transport rests, or while another mail tests it. */
  async send(message: MailMessage): Promise<MailReceipt> {
    // The breaker would make this mail wait for the mail that tests the transport, and use up its time.
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

  /** The transport works if it refuses a mail, so a refusal counts as a success for the breaker. */
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
