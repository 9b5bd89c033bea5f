import type { ChallengeEvent } from '../../domain/domain-event.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { OtpIssuance } from '../../domain/otp-issuance.ts'
import { recordMailEvent } from '../mail/record-mail-event.ts'
import { type DeliveryAttempt, type DeliveryReport, LEASE_IN_SECONDS, sendMail } from '../mail/send-mail.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeliveryTraces } from '../ports/delivery-traces.ts'
import type { MailOutcomes } from '../ports/mail-outcomes.ts'
import { type MailTransport, RecipientSuppressed } from '../ports/mail-transport.ts'
import type { OtpMailComposer } from '../ports/otp-mail-composer.ts'
import type { OtpDelivery, OtpOutbox } from '../ports/otp-outbox.ts'
import type { Totp } from '../ports/totp.ts'

const UNTRACED: DeliveryTraces = { follow: (_, __, attempt) => attempt() }

/** Sends the mails that are due: at least once each, always with the same code, never for a challenge that is over. */
export class DeliverOtp {
  readonly #outbox: OtpOutbox
  readonly #totp: Totp
  readonly #composer: OtpMailComposer
  readonly #transport: MailTransport
  readonly #mailOutcomes: MailOutcomes
  readonly #clock: Clock
  readonly #traces: DeliveryTraces

  constructor(
    outbox: OtpOutbox,
    totp: Totp,
    composer: OtpMailComposer,
    transport: MailTransport,
    mailOutcomes: MailOutcomes,
    clock: Clock,
    traces: DeliveryTraces = UNTRACED,
  ) {
    this.#outbox = outbox
    this.#totp = totp
    this.#composer = composer
    this.#transport = transport
    this.#mailOutcomes = mailOutcomes
    this.#clock = clock
    this.#traces = traces
  }

  /**
   * Claims up to `limit` due mails. Resolves with one attempt for each, which must start at once because its lease is running.
   * Fewer than `limit` attempts mean that no more were due.
   */
  async execute(limit: number): Promise<readonly DeliveryAttempt[]> {
    const from = this.#clock.now()
    const deliveries = await this.#outbox.claim(limit, from, secondsAfter(from, LEASE_IN_SECONDS))
    const claim = { from, until: this.#clock.now() }
    return deliveries.map(
      (delivery) => () => this.#traces.follow(delivery, claim, () => this.#deliver(delivery)),
    )
  }

  async #deliver(delivery: OtpDelivery): Promise<DeliveryReport> {
    const { id: issuanceId, challengeId, deliveryAttempts: attempt } = delivery.issuance
    const report = { challengeId, issuanceId, attempt }
    try {
      const { decided, ...details } = await this.#send(delivery)
      const [outcome, event] = decided
      // Suppress first: if this write fails, the mail is retried and refused again.
      if (details.error instanceof RecipientSuppressed) await this.#suppress(issuanceId)
      const recorded = await this.#outbox.record(delivery.issuance, outcome, event)
      return { ...report, outcome: recorded ? outcome.status : 'outdated', ...details }
    } catch (error) {
      return { ...report, outcome: 'unrecorded', error }
    }
  }

  #suppress(issuanceId: string) {
    const event = { outcome: 'suppressed', reason: 'refused', at: this.#clock.now() } as const
    return recordMailEvent(this.#mailOutcomes, issuanceId, event, { actor: 'service' })
  }

  async #send(delivery: OtpDelivery) {
    const { issuance, challenge, user } = delivery
    const withheld =
      OtpIssuance.reasonToWithhold(issuance, challenge, this.#clock.now()) ?? delivery.forgery()
    if (withheld) return { decided: OtpIssuance.fail(issuance, withheld, this.#clock.now()) }

    const notice = {
      clientId: challenge.clientId,
      code: this.#totp.code(issuance, challenge),
      reference: OtpIssuance.reference(issuance),
      summary: challenge.operation.summary,
      issuedAt: issuance.issuedAt,
      expiresAt: issuance.expiresAt,
      locale: user?.locale,
      displayName: user?.displayName,
    }
    const message = {
      id: issuance.id,
      kind: 'otp' as const,
      expiresAt: issuance.expiresAt,
      to: issuance.recipient,
      ...this.#composer.compose(notice),
    }
    return sendMail<[OtpIssuance, ChallengeEvent]>(this.#transport, message, {
      taken: (messageId) => OtpIssuance.markSent(issuance, messageId, this.#clock.now()),
      refused: (reply) => OtpIssuance.fail(issuance, 'refused', this.#clock.now(), reply),
      deferred: (reply) => OtpIssuance.defer(issuance, this.#clock.now(), reply),
    })
  }
}
