import { secondsAfter } from '../domain/instant.ts'
import { OtpIssuance } from '../domain/otp-issuance.ts'
import { hearMailNews } from './hear-mail-news.ts'
import type { Clock } from './ports/clock.ts'
import type { DeliveryTraces } from './ports/delivery-traces.ts'
import type { MailFates } from './ports/mail-fates.ts'
import {
  MailRefused,
  type MailTransport,
  MailUnavailable,
  RecipientSuppressed,
} from './ports/mail-transport.ts'
import type { OtpMailComposer } from './ports/otp-mail-composer.ts'
import type { OtpDelivery, OtpOutbox } from './ports/otp-outbox.ts'
import type { Totp } from './ports/totp.ts'

/** Outlives a hand-over (twenty seconds at most, see `MailTransport`) with room for a slow database behind it. */
const LEASE_IN_SECONDS = 30

export interface DeliveryReport {
  readonly challengeId: string
  readonly issuanceId: string
  readonly attempt: number
  /** `unrecorded`: whatever happened to the mail could not be stored; it is due again when the lease ends. */
  readonly outcome: OtpIssuance['status'] | 'unrecorded'
  /** Who took the mail, if somebody did. */
  readonly transport?: string
  /** Of the trace that the attempt is part of, if it is traced. */
  readonly traceId?: string
  readonly error?: unknown
}

/** Begins to hand over a mail that has been claimed, and tells what came of it. Never rejects. */
export type HandOver = () => Promise<DeliveryReport>
const UNTRACED: DeliveryTraces = { follow: (_, attempt) => attempt() }

/** Hands over the mails that are due. At least once each, always with the same code, never for a dead challenge. */
export class DeliverOtp {
  readonly #outbox: OtpOutbox
  readonly #totp: Totp
  readonly #composer: OtpMailComposer
  readonly #transport: MailTransport
  readonly #fates: MailFates
  readonly #clock: Clock
  readonly #traces: DeliveryTraces

  constructor(
    outbox: OtpOutbox,
    totp: Totp,
    composer: OtpMailComposer,
    transport: MailTransport,
    fates: MailFates,
    clock: Clock,
    traces: DeliveryTraces = UNTRACED,
  ) {
    this.#outbox = outbox
    this.#totp = totp
    this.#composer = composer
    this.#transport = transport
    this.#fates = fates
    this.#clock = clock
    this.#traces = traces
  }

  /**
   * Claims up to `limit` due mails. Resolves with one hand-over each, to be begun at once: the lease is running. Fewer
   * than `limit`: no more were due.
   */
  async execute(limit: number): Promise<readonly HandOver[]> {
    const now = this.#clock.now()
    const deliveries = await this.#outbox.claim(limit, now, secondsAfter(now, LEASE_IN_SECONDS))
    return deliveries.map((delivery) => () => this.#traces.follow(delivery, () => this.#deliver(delivery)))
  }

  async #deliver(delivery: OtpDelivery): Promise<DeliveryReport> {
    const { id: issuanceId, challengeId, deliveryAttempts: attempt } = delivery.issuance
    const report = { challengeId, issuanceId, attempt }
    try {
      const { fate, ...details } = await this.#handOver(delivery)
      const [outcome, event] = fate
      // First, for should this be lost, the mail is due again and will be refused again.
      if (details.error instanceof RecipientSuppressed) await this.#suppress(issuanceId)
      await this.#outbox.record(delivery.issuance, outcome, event)
      return { ...report, outcome: outcome.status, ...details }
    } catch (error) {
      return { ...report, outcome: 'unrecorded', error }
    }
  }

  #suppress(issuanceId: string) {
    const news = { outcome: 'suppressed', reason: 'refused', at: this.#clock.now() } as const
    return hearMailNews(this.#fates, issuanceId, news, { actor: 'service' })
  }

  async #handOver({ issuance, challenge, user }: OtpDelivery) {
    const withheld = OtpIssuance.reasonToWithhold(issuance, challenge, this.#clock.now())
    if (withheld) return { fate: OtpIssuance.fail(issuance, withheld, this.#clock.now()) }

    const notice = {
      code: this.#totp.code(issuance, challenge),
      reference: OtpIssuance.reference(issuance),
      summary: challenge.operation.summary,
      issuedAt: issuance.issuedAt,
      expiresAt: issuance.expiresAt,
      locale: user?.locale,
      displayName: user?.displayName,
    }
    const message = {
      issuanceId: issuance.id,
      expiresAt: issuance.expiresAt,
      to: issuance.recipient,
      ...this.#composer.compose(notice),
    }
    try {
      const { messageId, transport } = await this.#transport.send(message)
      return { transport, fate: OtpIssuance.handOver(issuance, messageId, this.#clock.now()) }
    } catch (error) {
      if (error instanceof MailRefused) {
        return { error, fate: OtpIssuance.fail(issuance, 'refused', this.#clock.now()) }
      }
      if (error instanceof MailUnavailable) {
        return { error, fate: OtpIssuance.defer(issuance, this.#clock.now()) }
      }
      throw error
    }
  }
}
