import {
  type MailMessage,
  MailOutcomeUnknown,
  type MailReceipt,
  MailRefused,
  type MailTransport,
  MailUnavailable,
} from '../../application/ports/mail-transport.ts'
import type { Metrics } from './metrics.ts'

const OUTCOMES = ['taken', 'refused', 'unavailable', 'unknown'] as const
type Outcome = (typeof OUTCOMES)[number]

/**
 * Counts the answers of one mail system. It wraps each system below the fail-over. Above the fail-over, the metrics would
 * not show that one system is down while the other one works.
 */
export class MeasuredMailTransport implements MailTransport {
  readonly #name: string
  readonly #transport: MailTransport
  readonly #metrics: Metrics

  constructor(name: string, transport: MailTransport, metrics: Metrics) {
    this.#name = name
    this.#transport = transport
    this.#metrics = metrics
    for (const outcome of OUTCOMES) this.#count(outcome, 0)
  }

  async send(message: MailMessage): Promise<MailReceipt> {
    try {
      const receipt = await this.#transport.send(message)
      this.#count('taken')
      return receipt
    } catch (error) {
      if (error instanceof MailRefused) this.#count('refused')
      else if (error instanceof MailOutcomeUnknown) this.#count('unknown')
      else if (error instanceof MailUnavailable) this.#count('unavailable')
      throw error
    }
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  #count(outcome: Outcome, times = 1): void {
    this.#metrics.transportAttempts.inc({ transport: this.#name, outcome }, times)
  }
}
