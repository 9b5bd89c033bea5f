import type { Logger } from 'pino'
import type { Clock } from '../../application/ports/clock.ts'
import {
  type MailMessage,
  MailOutcomeUnknown,
  type MailReceipt,
  type MailTransport,
  MailUnavailable,
} from '../../application/ports/mail-transport.ts'
import { GuardedTransport, type GuardOptions } from './guarded-transport.ts'

const GUARD: GuardOptions = { failuresToOpen: 3, restInMs: 15_000 }

/**
 * Uses several mail systems as one. A mail that the first certainly did not accept goes to the next, at once and
 * unchanged. Nothing else does: a refusal concerns the mail itself, and a mail that may have gone out would go out twice.
 * Such a mail waits for the outbox to retry it. By then the guard skips a mail system that does not answer.
 */
export class FailoverMailTransport implements MailTransport {
  readonly #transports: readonly GuardedTransport[]
  readonly #clock: Clock
  readonly #logger: Logger

  /** @param transports with their names, in the order in which to try them. */
  constructor(
    transports: readonly (readonly [name: string, transport: MailTransport])[],
    clock: Clock,
    logger: Logger,
    guard: GuardOptions = GUARD,
  ) {
    this.#transports = transports.map(
      ([name, transport]) => new GuardedTransport(name, transport, logger, guard),
    )
    this.#clock = clock
    this.#logger = logger
  }

  async send(message: MailMessage): Promise<MailReceipt> {
    const { id: mailId, expiresAt } = message
    const problems: string[] = []
    const replies: string[] = []
    for (const transport of this.#transports) {
      // The transport before may have taken long to fail.
      if (problems.length > 0 && this.#clock.now() >= expiresAt) break
      try {
        const receipt = await transport.send(message)
        if (problems.length > 0) {
          this.#logger.warn({ mailId, transport: transport.name, problems }, 'mail failed over')
        }
        return receipt
      } catch (error) {
        if (!(error instanceof MailUnavailable) || error instanceof MailOutcomeUnknown) throw error
        problems.push(`${transport.name}: ${error.message}`)
        if (error.reply !== undefined) replies.push(error.reply)
      }
    }
    throw new MailUnavailable(problems.join('; '), { reply: replies.join('; ') || undefined })
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()))
  }
}
